import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHost, type Host } from './support/host.js';
import { defineGuest, must, networkXml, stateOf, xmlFile } from './support/objects.js';
import { placeScript } from './support/plugins.js';
import { until } from './support/poll.js';

/** A script at `start` that waits until it is told to go on. */
const waiting = `handlers: { waiter: { backend: script, source: waiter, failurePolicy: fail, deadline: 50s } }
routes: [{ match: { driver: qemu, event: start }, handlers: [waiter] }]`;

let host: Host;
const began = (): string => join(host.machine.root, 'run', 'began');
beforeAll(async () => {
  host = await createHost();
  placeScript(host, 'waiter', 'touch /run/began; while [ -e /run/began ]; do sleep 0.05; done');
  await must(host.virsh('net-define', xmlFile(host, 'lan', networkXml('lan'))));
  await must(host.virsh('net-start', 'lan'));
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
});

const eventsOf = async (name: string): Promise<string[]> => (await host.events(name)).map(({ event }) => event.event);

describe('libvirtd is killed in the middle of a start', () => {
  it('the event is decided all the same, nothing more comes of it, and the next start is whole', async () => {
    await host.configure(waiting);
    await defineGuest(host, 'orphan');
    const start = host.virsh('start', 'orphan');
    await until('the script waits', () => existsSync(began()));
    await host.stopLibvirtd('SIGKILL');
    expect((await start).status).toBe(1);
    rmSync(began());
    await until('the start is recorded', async () => (await eventsOf('orphan')).length === 2);
    await host.configure('');
    await host.startLibvirtd();
    expect(await stateOf(host, 'orphan')).toBe('shut off');
    expect(await eventsOf('orphan')).toEqual(['prepare', 'start']);
    await must(host.virsh('start', 'orphan'));
    expect(await eventsOf('orphan')).toEqual(['prepare', 'start', 'prepare', 'start', 'started']);
    await must(host.virsh('destroy', 'orphan'));
  });
});

describe('libvirtd is told to end in the middle of a start', () => {
  it('it waits for the handler, and the guest is whole afterwards', async () => {
    await host.configure(waiting);
    await defineGuest(host, 'late');
    const start = host.virsh('start', 'late');
    await until('the script waits', () => existsSync(began()));
    const stopped = host.stopLibvirtd();
    rmSync(began());
    await Promise.all([stopped, start]);
    await host.configure('');
    await host.startLibvirtd();
    const state = await until('libvirtd knows the guest', async () => {
      const now = await stateOf(host, 'late');
      return now === 'running' || now === 'shut off' ? now : null;
    });
    if (state === 'running') await must(host.virsh('destroy', 'late'));
    await must(host.virsh('start', 'late'));
    await must(host.virsh('destroy', 'late'));
  });
});

describe('libvirtd is restarted while guests run', () => {
  it('shutdown, start, ports and reconnect come in order, and the guests run on', async () => {
    await host.configure('');
    const guests = ['first', 'second'];
    for (const name of guests) {
      await defineGuest(host, name, { network: 'lan' });
      await must(host.virsh('start', name));
    }
    const before = (await host.events()).length;
    await host.stopLibvirtd();
    await host.startLibvirtd();
    const since = await until('both are reconnected', async () => {
      const events = (await host.events()).slice(before);
      return events.filter(({ event }) => event.event === 'reconnect').length === guests.length && events;
    });
    const words = since.map(({ event }) => `${event.driver} ${event.event}`);
    expect(words.slice(0, 2)).toEqual(['daemon shutdown', 'daemon start']);
    expect(words.toSorted()).toEqual([
      ...['daemon shutdown', 'daemon start', 'network port-created', 'network port-created'],
      ...['qemu reconnect', 'qemu reconnect'],
    ]);
    for (const name of guests) expect(await stateOf(host, name)).toBe('running');
    for (const name of guests) await must(host.virsh('destroy', name));
    for (const name of guests) {
      const life = ['prepare', 'start', 'started', 'reconnect', 'stopped', 'release'];
      expect(await eventsOf(name)).toEqual(life);
    }
  });
});
