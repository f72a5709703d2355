import { domainGrowths } from './grow-domain.js';
import type { PlannedCall } from './machine.js';
import type { GuestPlan, Plan, Step } from './plan.js';
import { createRandom } from './random.js';
import type { Samples } from './samples.js';
import { escapeXml, replaceFirst } from './xml.js';

/** The name and the document of a planned call. */
export interface Grown {
  readonly name: string;
  readonly document: string | null;
}

/** Builds the document of a call from a recorded one. A guest has the same name, UUID and devices in every call. */
export function growDocument(planned: PlannedCall, { guests }: Plan, step: Step, samples: Samples): Grown {
  const { driver, event, guest: number } = planned;
  if (driver === 'daemon') return { name: '-', document: null };
  const random = createRandom(step.seed);
  const guest = number === null ? null : (guests[number] ?? null);
  if (driver === 'network') {
    const recorded = random.pick(samples('network', event));
    const name = /<name>([^<]*)<\/name>/u.exec(recorded)?.[1] ?? '-';
    return { name, document: guest === null || number === null ? recorded : ownedBy(recorded, guest, number) };
  }
  const recorded = random.pick(samples('qemu', event));
  if (guest === null || number === null) return { name: '-', document: recorded };
  const native = driver === 'lxc' ? asContainer(recorded) : recorded;
  const grown = guest.growths.reduce((xml, { name, amount }) => domainGrowths[name](xml, amount), native);
  return { name: guest.name, document: named(grown, guest, number) };
}

function uuidOf(number: number): string {
  return `1111111${number % 10}-2222-4333-8444-555555555555`;
}

/** Renames a domain: the first name and UUID in its document are its own. */
function named(xml: string, { name }: GuestPlan, number: number): string {
  const renamed = replaceFirst(xml, /<name>[^<]*<\/name>/u, `<name>${escapeXml(name)}</name>`);
  return replaceFirst(renamed, /<uuid>[^<]*<\/uuid>/u, `<uuid>${uuidOf(number)}</uuid>`);
}

/** Sets the owner of a port to the guest. */
function ownedBy(xml: string, { name }: GuestPlan, number: number): string {
  const owner = `<owner>\n      <name>${escapeXml(name)}</name>\n      <uuid>${uuidOf(number)}</uuid>\n    </owner>`;
  return replaceFirst(xml, /<owner>[\s\S]*?<\/owner>/u, owner);
}

/** Turns a recorded domain into a container: none was recorded, but its life cycle and document are alike. */
function asContainer(xml: string): string {
  const typed = replaceFirst(xml, /<domain type='[a-z]+'/u, `<domain type='lxc'`);
  const system = replaceFirst(
    typed,
    /<os>[\s\S]*?<\/os>/u,
    `<os><type arch='x86_64'>exe</type><init>/sbin/init</init></os>`,
  );
  const program = '<emulator>/usr/lib/libvirt/libvirt_lxc</emulator>';
  return replaceFirst(replaceFirst(system, /<emulator>[^<]*<\/emulator>/u, program), /\s*<cpu [\s\S]*?<\/cpu>/u, '');
}
