import { existsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHost, type Host, type Ran } from './support/host.js';
import { defineGuest, must, stateOf } from './support/objects.js';
import { denial, placeDenier, placeScript } from './support/plugins.js';
import { until } from './support/poll.js';

const deadlineMs = 2_000;
const policy = (what: string): string => `${what}\ndeadline ${deadlineMs / 1_000}\n`;
const cannotReach = /unexpected exit status 1: hookvisor: the runtime at [^\n]*\n+$/u;

/** Denies guests whose name begins with `bad`. */
const sorting = `handlers: { no: { backend: extism, source: no.wasm, failurePolicy: fail } }
routes: [{ match: { event: prepare, name: 'bad*' }, handlers: ['no'] }]`;

let host: Host;
beforeAll(async () => {
  host = await createHost();
  await placeDenier(host);
  placeScript(host, 'slow', 'echo >/run/slow-began; sleep 1000');
  placeScript(host, 'classic', 'case $1 in bad*) echo "the classic script says no" >&2; exit 1;; esac');
  await defineGuest(host, 'witness');
  await must(host.virsh('start', 'witness'));
});
beforeEach(async () => {
  host.unreachable(policy('deny'));
  await host.configure(sorting);
});
afterAll(async () => {
  // The guest that ran through all of it.
  const state = await stateOf(host, 'witness');
  await host[Symbol.asyncDispose]();
  expect(state).toBe('running');
});

async function start(name: string): Promise<Ran> {
  await defineGuest(host, name);
  return host.virsh('start', name);
}

describe('the runtime is down', () => {
  beforeAll(() => host.stopRuntime());
  afterAll(() => host.startRuntime());

  it('policy deny: a start is denied with what to do, and running guests can be stopped', async () => {
    const { status, err } = await start('down');
    expect(status).toBe(1);
    expect(err).toMatch(cannotReach);
    expect(err).toContain('cannot be reached (No such file or directory); start it, or see /etc/hookvisor/unreachable');
    expect(await stateOf(host, 'down')).toBe('shut off');
    host.unreachable(policy('allow'));
    await must(host.virsh('start', 'down'));
    host.unreachable(policy('deny'));
    await must(host.virsh('destroy', 'down'));
  });

  it('policy allow: everything starts, the bad too', async () => {
    host.unreachable(policy('allow'));
    expect((await start('bad-allowed')).status).toBe(0);
  });

  it('policy script: the script decides', async () => {
    host.unreachable(policy('script /etc/hookvisor/classic'));
    expect((await start('good')).status).toBe(0);
    expect((await start('bad')).err).toContain('unexpected exit status 1: the classic script says no\n');
  });

  it('policy deny: libvirtd restarts, and running guests live on', async () => {
    await host.stopLibvirtd();
    await host.startLibvirtd();
    await until('the guest is known again', async () => (await stateOf(host, 'witness')) === 'running');
  });
});

describe('the runtime is lost', () => {
  it('killed in the middle of an event: virsh fails at once, and works again when it is back', async () => {
    await host.configure(`handlers: { slow: { backend: script, source: slow, failurePolicy: fail, deadline: 50s } }
routes: [{ match: { event: prepare }, handlers: [slow] }]`);
    host.unreachable('deny\ndeadline 60\n');
    await defineGuest(host, 'cut-off');
    const running = host.virsh('start', 'cut-off');
    await until('the script runs', () => existsSync(join(host.machine.root, 'run', 'slow-began')));
    await host.stopRuntime('SIGKILL');
    const { status, err, ms } = await running;
    await host.configure(sorting);
    await host.startRuntime();
    expect(status).toBe(1);
    expect(err).toMatch(cannotReach);
    expect(ms).toBeLessThan(30_000);
    expect((await host.virsh('start', 'cut-off')).status).toBe(0);
    expect((await start('bad-after-kill')).err).toMatch(denial);
    expect((await host.hookvisor('journal', 'verify')).said).toContain('as it was written');
  });

  it('frozen: no call takes longer than the client waits', async () => {
    host.signalRuntime('SIGSTOP');
    const frozen = await start('frozen');
    host.signalRuntime('SIGCONT');
    expect(frozen.err).toMatch(cannotReach);
    // libvirt asks three times: prepare, stopped, release.
    expect(frozen.ms).toBeGreaterThan(deadlineMs - 100);
    expect(frozen.ms).toBeLessThan(3 * (deadlineMs + 1_000));
    expect((await start('thawed')).status).toBe(0);
  });

  it('its socket removed: the policy decides until it is restarted', async () => {
    unlinkSync(join(host.machine.root, 'run', 'hookvisor', 'hookvisor.sock'));
    expect((await start('no-socket')).err).toMatch(cannotReach);
    await host.stopRuntime();
    await host.startRuntime();
    expect((await host.virsh('start', 'no-socket')).status).toBe(0);
  });

  it('restarted while guests run: they run on, and their end is recorded', async () => {
    await must(start('survivor'));
    await host.stopRuntime();
    await host.startRuntime();
    expect(await stateOf(host, 'survivor')).toBe('running');
    await must(host.virsh('destroy', 'survivor'));
    const events = (await host.events('survivor')).map(({ event }) => event.event);
    expect(events).toEqual(['prepare', 'start', 'started', 'stopped', 'release']);
  });
});

describe('the runtime is reloaded under load', () => {
  it('and every guest meets one configuration or the other, whole', async () => {
    const names = ['one', 'two', 'three', 'four', 'bad-five', 'bad-six'];
    for (const name of names) await defineGuest(host, name);
    const lives = names.map(async (name) => {
      for (let round = 0; round < 3; round++) {
        const started = await host.virsh('start', name);
        if (name.startsWith('bad')) expect(started.err).toMatch(denial);
        else expect(started).toMatchObject({ status: 0, err: '' });
        if (started.status === 0) await must(host.virsh('destroy', name));
      }
    });
    const before = (await host.status()).status.reloads.done;
    const load = { over: false };
    const reloading = (async () => {
      while (!load.over) await host.configure(sorting);
    })();
    await Promise.all(lives).finally(() => {
      load.over = true;
    });
    await reloading;
    expect((await host.status()).status.reloads.done).toBeGreaterThan(before + 1);
    for (const name of names) {
      const life = name.startsWith('bad') ? ['prepare'] : ['prepare', 'start', 'started'];
      const round = [...life, 'stopped', 'release'];
      const events = (await host.events(name)).map(({ event }) => event.event);
      expect(events).toEqual([...round, ...round, ...round]);
    }
  });
});

describe('the disk of the journal is full', () => {
  it('verdicts stand, the loss is counted, and recording goes on when there is room', async () => {
    const shell = async (label: string, command: string): Promise<void> => {
      await host.machine.start(label, 'sh', '-c', command).ended;
    };
    await shell('small', 'mkdir /run/small && mount -t tmpfs -o size=300k,mode=0755 none /run/small');
    await host.configure(`journal: { dir: /run/small/journal }\n${sorting}`);
    await shell('fill', 'cat /dev/zero >/run/small/filler');
    expect((await start('on-full-disk')).status).toBe(0);
    expect((await start('bad-on-full-disk')).err).toMatch(denial);
    const lost = (await host.status()).status.journal?.unrecorded ?? 0;
    expect(lost).toBeGreaterThan(0);
    await shell('empty', 'rm /run/small/filler');
    await must(host.virsh('destroy', 'on-full-disk'));
    expect((await host.status()).status.journal?.unrecorded).toBe(lost);
    const { said } = await host.hookvisor('journal', '/run/small/journal', '--json');
    expect(said).toContain('"release"');
  });
});
