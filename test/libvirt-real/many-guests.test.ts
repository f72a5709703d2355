import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { createHost, type Host } from './support/host.js';
import { defineGuest, must } from './support/objects.js';
import { placeScript } from './support/plugins.js';

const rounds = 3;

/** One guest of each five is denied by one of the three handlers. */
const refusals = ['script-says-no', 'Naming-says-no', 'quota-says-no'] as const;
const guests = Array.from({ length: 30 }, (_, at) => {
  const refusal = at % 5 === 0 ? refusals[(at / 5) % refusals.length] : undefined;
  return { name: refusal === undefined ? `vm-${at}` : `${refusal}-${at}`, refusal: refusal ?? null };
});

const reasons = {
  'script-says-no': 'gate: the script says no',
  'Naming-says-no': 'naming: the name "',
  'quota-says-no': 'quota: the domain has 16 MiB of memory',
};

const config = `handlers:
  gate: { backend: script, source: gate, failurePolicy: fail, deadline: 60s }
  naming: { backend: component, source: naming.wasm, failurePolicy: fail, deadline: 60s }
  quota: { backend: extism, source: quota.wasm, failurePolicy: fail, deadline: 60s, settings: { maxMemoryMiB: 8 } }
budget: 300s
routes: [{ match: { driver: qemu, event: prepare }, handlers: [gate, naming, quota] }]`;

let host: Host;
beforeAll(async () => {
  host = await createHost();
  for (const name of ['naming', 'quota']) {
    const built = join(packageRoot, 'plugins', name, 'build', `${name}.wasm`);
    copyFileSync(built, join(host.machine.root, 'etc', 'hookvisor', `${name}.wasm`));
  }
  placeScript(host, 'gate', 'case $1 in script-*) echo "the script says no" >&2; exit 1;; esac');
  await host.configure(config);
  for (const { name, refusal } of guests)
    await defineGuest(host, name, refusal === 'quota-says-no' ? { memoryMiB: 16 } : {});
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
});

describe('30 guests are started at the same time', () => {
  it.each(Array.from({ length: rounds }, (_, at) => at + 1))(
    'every verdict is right, round %i',
    async (round) => {
      const results = await Promise.all(
        guests.map(async (guest) => ({ guest, started: await host.virsh('start', guest.name) })),
      );
      for (const { guest, started } of results) {
        if (guest.refusal === null) expect(started).toMatchObject({ status: 0, err: '' });
        else expect(started.err).toContain(`unexpected exit status 1: ${reasons[guest.refusal]}`);
      }
      const running = (await must(host.virsh('list', '--name'))).split('\n').toSorted();
      const allowed = guests.filter(({ refusal }) => refusal === null).map(({ name }) => name);
      expect(running).toEqual(allowed.toSorted());
      await Promise.all(allowed.map((name) => must(host.virsh('destroy', name))));

      const events = await host.events();
      for (const { name, refusal } of guests) {
        const life = refusal === null ? ['prepare', 'start', 'started'] : ['prepare'];
        const words = events.filter(({ event }) => event.name === name).map(({ event }) => event.event);
        expect(words).toEqual(Array.from({ length: round }, () => [...life, 'stopped', 'release']).flat());
      }
    },
    180_000,
  );

  it('the journal is whole, and nothing failed', async () => {
    expect(await host.hookvisor('journal', 'verify')).toMatchObject({ status: 0 });
    const failures = (await host.events()).flatMap(({ handlers }) =>
      handlers.filter(({ failure }) => failure !== null),
    );
    expect(failures).toEqual([]);
  });
});
