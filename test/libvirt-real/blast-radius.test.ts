import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHost, type Host, type Ran } from './support/host.js';
import { containerXml, defineGuest, must, networkXml, stateOf, xmlFile } from './support/objects.js';
import { denial, placeDenier } from './support/plugins.js';
import { until } from './support/poll.js';

const harmful = ['reconnect', 'started', 'stopped', 'release', 'updated', 'port-deleted', 'reload', 'shutdown'];

/** The handler `no` for these operations; `daemon start` cannot be told from `qemu start` by its name alone. */
const denying = (events: readonly string[], grants: readonly string[]): string =>
  `handlers: { no: { backend: extism, source: no.wasm, failurePolicy: fail, grants: [${grants.join(', ')}] } }
routes:
  - { match: { event: [${events.join(', ')}] }, handlers: ['no'] }
  - { match: { driver: daemon }, handlers: ['no'] }`;

const grantsFor = (events: readonly string[]): string[] => events.map((event) => `deny-${event}`);

let host: Host;
beforeAll(async () => {
  host = await createHost();
  await placeDenier(host);
  await must(host.virsh('net-define', xmlFile(host, 'lan', networkXml('lan'))));
  await must(host.virsh('net-start', 'lan'));
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
});

/** `OPERATION VERDICT ANSWERED` of what the handler denied. */
const denied = async (name: string): Promise<string[]> =>
  (await host.events(name))
    .filter(({ verdict }) => verdict === 'deny')
    .map(({ event, verdict, answered }) => `${event.event} ${verdict} ${answered}`);

const addPortGroup = (name: string): Promise<Ran> =>
  host.virsh('net-update', 'lan', 'add', 'portgroup', `<portgroup name='${name}'/>`, '--live');

describe('without the grant', () => {
  it('a denial of everything that would do harm changes nothing, and is recorded', async () => {
    await host.configure(denying(harmful, []));
    await defineGuest(host, 'safe', { network: 'lan' });
    await must(host.virsh('start', 'safe'));
    expect(await stateOf(host, 'safe')).toBe('running');
    await must(host.lxc('define', xmlFile(host, 'safe-box', containerXml('safe-box'))));
    await must(host.lxc('start', 'safe-box'));
    await must(addPortGroup('one'));

    host.reloadLibvirtd();
    await until('libvirtd has reloaded', async () => (await denied('-')).includes('reload deny allow'));
    await host.stopLibvirtd();
    await host.startLibvirtd();
    await until('the guest was reconnected', async () => (await denied('safe')).includes('reconnect deny allow'));
    await until('the container was reconnected', async () =>
      (await denied('safe-box')).includes('reconnect deny allow'),
    );
    expect(await stateOf(host, 'safe')).toBe('running');
    expect(await must(host.lxc('domstate', 'safe-box'))).toBe('running');

    await must(host.virsh('destroy', 'safe'));
    await must(host.lxc('destroy', 'safe-box'));
    const life = ['started', 'reconnect', 'stopped', 'release'].map((event) => `${event} deny allow`);
    expect(await denied('safe')).toEqual(life);
    expect(await denied('safe-box')).toEqual(life);
    expect(await denied('-')).toEqual(['reload', 'shutdown', 'start'].map((event) => `${event} deny allow`));
    expect(await denied('lan')).toEqual(['updated', 'port-deleted'].map((event) => `${event} deny allow`));
  });

  it('a denied start of a network that is up changes nothing', async () => {
    await must(host.virsh('net-define', xmlFile(host, 'quiet', networkXml('quiet', 4))));
    await must(host.virsh('net-start', 'quiet'));
    await must(host.virsh('net-destroy', 'quiet'));
    expect(await denied('quiet')).toEqual(['started deny allow', 'stopped deny allow']);
  });
});

describe('with the grant', () => {
  it('a denied `started` kills the guest that has just come up', async () => {
    await host.configure(denying(['started'], ['deny-started']));
    await defineGuest(host, 'short');
    expect((await host.virsh('start', 'short')).err).toMatch(denial);
    expect(await stateOf(host, 'short')).toBe('shut off');
    await must(host.lxc('define', xmlFile(host, 'short-box', containerXml('short-box'))));
    expect((await host.lxc('start', 'short-box')).err).toMatch(denial);
    expect(await must(host.lxc('domstate', 'short-box'))).toBe('shut off');
  });

  it('a denied `updated` shows an error, and the change is applied', async () => {
    await host.configure(denying(['updated'], ['deny-updated']));
    await addPortGroup('two');
    expect(await denied('lan')).toContain('updated deny deny');
    expect(await must(host.virsh('net-dumpxml', 'lan'))).toContain("portgroup name='two'");
  });

  it('a denied `stopped`, `release` or `port-deleted` is not looked at', async () => {
    const events = ['stopped', 'release', 'port-deleted'];
    await host.configure(denying(events, grantsFor(events)));
    await defineGuest(host, 'over', { network: 'lan' });
    await must(host.virsh('start', 'over'));
    await must(host.virsh('destroy', 'over'));
    expect(await denied('over')).toEqual(['stopped deny deny', 'release deny deny']);
    expect(await stateOf(host, 'over')).toBe('shut off');
  });

  it('a denied `started` of a network fails, and leaves it half up', async () => {
    await host.configure(denying(['started'], ['deny-started']));
    await must(host.virsh('net-define', xmlFile(host, 'leak', networkXml('leak', 5))));
    expect((await host.virsh('net-start', 'leak')).err).toMatch(denial);
    await host.configure('');
    expect((await host.virsh('net-start', 'leak')).err).toContain('in use');
  });

  it('a denied `reconnect` kills the guests and containers that run', async () => {
    await host.configure(denying(['reconnect'], ['deny-reconnect']));
    await defineGuest(host, 'cut');
    await must(host.virsh('start', 'cut'));
    await must(host.lxc('define', xmlFile(host, 'cut-box', containerXml('cut-box'))));
    await must(host.lxc('start', 'cut-box'));
    await host.stopLibvirtd();
    await host.startLibvirtd();
    await until('the guest is gone', async () => (await stateOf(host, 'cut')) === 'shut off');
    // libvirt 9.0 sometimes forgets the container with its definition.
    await until('the container is gone', async () => {
      const { out, err } = await host.lxc('domstate', 'cut-box');
      return out.includes('shut off') || err.includes("failed to get domain 'cut-box'");
    });
    expect(await denied('cut')).toEqual(['reconnect deny deny']);
  });
});
