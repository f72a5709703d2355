import { domainGrowths } from './grow-domain.js';
import { createRandom, type Random, seedOf } from './random.js';

/** Something that happens to a guest or a network. The state machine knows when it is possible and which calls follow. */
export const actions = [
  'start',
  'stop',
  'save',
  'restore',
  'migrate-in',
  'migrate-out',
  'migrate-offline',
  'attach-interface',
  'detach-interface',
  'net-start',
  'net-destroy',
  'net-update',
  'restart-libvirtd',
  'reload-libvirtd',
] as const;
export type Action = (typeof actions)[number];

export interface Step {
  readonly action: Action;
  /** Index of the guest, for actions on a guest. */
  readonly guest: number;
  /** Where the action fails: 0 nowhere, otherwise a point of the action. */
  readonly trouble: number;
  /** Determines everything else: the recorded document, the reason, the elapsed time. */
  readonly seed: number;
}

/** A guest and the growth of its documents. */
export interface GuestPlan {
  readonly driver: 'qemu' | 'lxc';
  readonly name: string;
  /** Number of interfaces on a virtual network; each has a port. */
  readonly interfaces: number;
  readonly growths: readonly { readonly name: keyof typeof domainGrowths; readonly amount: number }[];
}

/** A test case. Every list of steps is valid: a step that is impossible in its state is skipped. */
export interface Plan {
  readonly guests: readonly GuestPlan[];
  readonly steps: readonly Step[];
}

/** Names that libvirt accepts. It only rejects slashes and line feeds. */
const names = [
  'web-1',
  'tiny',
  'Tiny VM; rm -rf',
  '-rf',
  'ünïcode-名前',
  'a.b_c:d',
  '<b>&amp;"\'',
  `${'long-'.repeat(40)}name`,
  '${HOME}$(id)`id`',
] as const;

const growthNames = Object.keys(domainGrowths).filter(
  (name): name is keyof typeof domainGrowths => name in domainGrowths,
);

/** Generates the plan of a seed. */
export function planOf(seed: number, { steps, guests }: { readonly steps: number; readonly guests: number }): Plan {
  const random = createRandom(seed);
  const guest = (): GuestPlan => ({
    driver: random.oneIn(4) ? 'lxc' : 'qemu',
    name: random.pick(names),
    interfaces: random.int(3),
    growths: growthsOf(random),
  });
  return {
    guests: Array.from({ length: guests }, guest),
    steps: Array.from({ length: steps }, (_, at) => ({
      action: random.pick(actions),
      guest: random.int(guests),
      trouble: random.oneIn(3) ? 1 + random.int(4) : 0,
      seed: seedOf(seed, at),
    })),
  };
}

/** Each at most once: libvirt might never write a document with two of a kind. */
function growthsOf(random: Random): GuestPlan['growths'] {
  const drawn = Array.from({ length: random.int(6) }, () => ({
    name: growthNames[random.int(growthNames.length)] ?? 'memory',
    amount: random.int(64),
  }));
  return drawn.filter(({ name }, at) => drawn.findIndex((other) => other.name === name) === at);
}
