import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHost, type Host, type Ran } from './support/host.js';
import { defineGuest, must, stateOf } from './support/objects.js';
import { placeCaller, placeEndless, placeScript } from './support/plugins.js';
import { until } from './support/poll.js';

const deadlineMs = 2_000;

/** How long after the deadline virsh has answered: a second, and what a denial takes on this machine anyhow. */
let graceMs = 1_000;

const endlessFuel = Number.MAX_SAFE_INTEGER;

/** One handler at `prepare`. */
const handler = (name: string, lines: string): string =>
  `handlers: { ${name}: { ${lines}, failurePolicy: fail, deadline: ${deadlineMs}ms } }
routes: [{ match: { driver: qemu, event: prepare }, handlers: [${name}] }]`;

let host: Host;
beforeAll(async () => {
  host = await createHost();
  await placeEndless(host);
  placeScript(host, 'denier', 'exit 1');
  placeScript(host, 'sleeper', 'touch /run/sleeping; sleep 1000');
  placeScript(host, 'stubborn', "trap '' TERM; while :; do sleep 1; done");
  placeScript(host, 'parent', 'sleep 1000 & echo $! >/run/child.pid');
  placeScript(host, 'asks-libvirt', 'virsh -c qemu:///system dominfo "$1" >/run/virsh.out 2>&1 || exit 1');
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
});

beforeAll(async () => {
  await host.configure(handler('denier', 'backend: script, source: denier'));
  await defineGuest(host, 'plain');
  const { status, ms } = await host.virsh('start', 'plain');
  expect(status).toBe(1);
  graceMs = 1_000 + 5 * ms;
});

/** Starts a guest whose start hangs in a handler, and looks at libvirt meanwhile. */
async function startHanging(name: string): Promise<{ start: Ran; during: Ran }> {
  await defineGuest(host, name);
  const running = host.virsh('start', name);
  // A call that names no domain takes no domain's lock.
  const during = await host.virsh('net-list');
  return { start: await running, during };
}

describe('a handler that never returns', () => {
  it.each([
    ['script', 'backend: script, source: sleeper'],
    ['script that ignores TERM', 'backend: script, source: stubborn'],
    ['plugin', `backend: component, source: endless.wasm, fuel: ${endlessFuel}`],
  ])('of the kind %s is ended at its deadline', async (kind, lines) => {
    const name = kind.replaceAll(' ', '-');
    await host.configure(handler('endless', lines));
    const { start, during } = await startHanging(name);
    expect(start.status).toBe(1);
    expect(start.err).toContain('endless: cannot decide: ');
    expect(start.ms).toBeGreaterThan(deadlineMs - 100);
    expect(start.ms).toBeLessThan(deadlineMs + graceMs);
    expect(during).toMatchObject({ status: 0, err: '' });
    expect(during.ms).toBeLessThan(start.ms);
    expect(await must(host.virsh('list', '--all'))).toContain(name);
    const [event] = await host.events(name);
    expect(event?.handlers[0]?.failure).toBe('deadline');
  });

  it('that is a plugin is stopped by its fuel long before its deadline', async () => {
    await host.configure(handler('endless', 'backend: component, source: endless.wasm'));
    const { start } = await startHanging('fuelled');
    expect(start.err).toContain('endless: cannot decide: ');
    expect(start.ms).toBeLessThan(deadlineMs);
    expect((await host.events('fuelled'))[0]?.handlers[0]?.failure).toBe('out-of-fuel');
  });

  it('holds `virsh list` up no longer than its deadline', async () => {
    await host.configure(handler('endless', 'backend: script, source: sleeper'));
    await defineGuest(host, 'locked');
    const sleeping = join(host.machine.root, 'run', 'sleeping');
    rmSync(sleeping, { force: true });
    const start = host.virsh('start', 'locked');
    await until('the script runs', () => existsSync(sleeping));
    const list = await host.virsh('list', '--all');
    expect(list.status).toBe(0);
    expect(list.ms).toBeLessThan(deadlineMs + graceMs);
    expect((await start).status).toBe(1);
  });

  it('leaves other guests alone', async () => {
    await host.configure(
      handler('endless', 'backend: script, source: sleeper').replace('event: prepare', 'event: prepare, name: stuck'),
    );
    await Promise.all([defineGuest(host, 'stuck'), defineGuest(host, 'free')]);
    const stuck = host.virsh('start', 'stuck');
    await must(host.virsh('start', 'free'));
    expect((await stuck).status).toBe(1);
    expect(await stateOf(host, 'free')).toBe('running');
  });
});

describe('a script', () => {
  it('whose background child keeps stdout open delays nothing', async () => {
    await host.configure(handler('parent', 'backend: script, source: parent'));
    await defineGuest(host, 'with-child');
    const start = await host.virsh('start', 'with-child');
    expect(start.status).toBe(0);
    expect(start.ms).toBeLessThan(deadlineMs);
    const pid = readFileSync(join(host.machine.root, 'run', 'child.pid'), 'utf8').trim();
    // It lives on, as it would after libvirt's own hook.
    const alive = host.machine.start('kill', 'kill', pid);
    await alive.ended;
    expect(alive.child.exitCode).toBe(0);
  });

  it('that asks libvirt about the same guest is ended at its deadline', async () => {
    await host.configure(handler('asks', 'backend: script, source: asks-libvirt'));
    const { start } = await startHanging('asked');
    expect(start.err).toContain('asks: cannot decide: ');
    expect(start.ms).toBeGreaterThan(deadlineMs - 100);
    expect(start.ms).toBeLessThan(deadlineMs + graceMs);
    expect((await host.events('asked'))[0]?.handlers[0]?.failure).toBe('deadline');
  });

  it('that asks libvirt fails at once with libvirtAccess: deny', async () => {
    await host.configure(handler('asks', 'backend: script, source: asks-libvirt, libvirtAccess: deny'));
    const { start } = await startHanging('not-asked');
    expect(start.err).toContain('unexpected exit status 1: asks: exit status 1');
    expect(start.ms).toBeLessThan(deadlineMs);
    const said = readFileSync(join(host.machine.root, 'run', 'virsh.out'), 'utf8');
    expect(said).toContain('Failed to connect socket');
  });
});

describe('a plugin', () => {
  it('finds no socket of libvirt where it runs, and nothing to call it with', async () => {
    await host.configure(handler('endless', `backend: component, source: endless.wasm, fuel: ${endlessFuel}`));
    await defineGuest(host, 'watched');
    const start = host.virsh('start', 'watched');
    const seen = host.machine.start('runner', 'bash', '-c', lookAtRunner);
    await seen.ended;
    expect(seen.said()).toBe('libvirtd is reachable from here\nno socket in the runner\n');
    expect((await start).status).toBe(1);
    expect(await must(host.virsh('list', '--all'))).toContain('watched');
  });

  it('that would open a socket is refused before it runs', async () => {
    await placeCaller(host);
    const refused = host.configure(handler('caller', 'backend: extism, source: caller.wasm'));
    await expect(refused).rejects.toThrow(/caller: .*sock_accept/u);
  });
});

/** Looks through the eyes of the first runner: its root folder and its net namespace. */
const lookAtRunner = `
[ -S /run/libvirt/libvirt-sock ] && echo libvirtd is reachable from here
for i in $(seq 500); do
  runner=$(pgrep -f '[r]unner-main.js' | tail -n 1)
  if [ -n "$runner" ] && [ ! "/proc/$runner/ns/mnt" -ef /proc/self/ns/mnt ]; then break; fi
  sleep 0.02
done
[ ! "/proc/$runner/ns/mnt" -ef /proc/self/ns/mnt ] || echo no runner in a namespace of its own
find "/proc/$runner/root/" -xdev -type s 2>/dev/null | grep -q . && echo a socket in the runner
[ ! -e "/proc/$runner/root/run/libvirt" ] && echo no socket in the runner
`;
