import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { doubtsOf } from '../../../src/runtime/config/doubts.js';
import { parseConfig } from '../../../src/runtime/config/load.js';
import { catalog, kindOf } from '../../../src/runtime/libvirt/catalog.js';
import { packageRoot } from '../../../src/shared/paths.js';

const doubts = (match: object): readonly string[] => doubtsOf([{ match, handlers: ['a'] }]);

describe('doubts about a route', () => {
  it.each([
    [{ kind: ['domian'] }, "kind: libvirt has no kind 'domian'; did you mean 'domain'?"],
    [{ driver: ['qemu', 'quemu'] }, "driver: libvirt has no driver 'quemu'; did you mean 'qemu'?"],
    [{ kind: ['domain'], event: ['Prepare'] }, "event: libvirt has no event 'Prepare'; did you mean 'prepare'?"],
    [{ qualifier: ['beggin'] }, "qualifier: libvirt has no qualifier 'beggin'; did you mean 'begin'?"],
  ])('tells the word that is mistyped: %j', (match, doubt) => {
    expect(doubts(match)).toEqual([`routes[0].match.${doubt}`]);
  });

  it('tells that its words never come together', () => {
    expect(doubts({ driver: ['network', 'lxc'], event: ['migrate'], name: ['web-*'] })).toEqual([
      "routes[0].match: no operation of libvirt has the driver 'network' or 'lxc' and the event 'migrate', " +
        'so its handlers never run; correct the route or remove it',
    ]);
    expect(doubts({ event: ['prepare'], qualifier: ['end'] })).toHaveLength(1);
  });

  it('shows hostile words as one clean line', () => {
    expect(doubts({ kind: ['domain\u001b[31m\n'] }).join('')).toMatch(/^[\x20-\x7e…]*$/u);
  });

  it('are none for what libvirt calls its hooks with, whatever of it is written', () => {
    for (const { driver, event, qualifier } of catalog) {
      const match = { kind: [kindOf(driver)], driver: [driver], event: [event], qualifier: [qualifier] };
      expect(doubts(match)).toEqual([]);
    }
    expect(doubts({})).toEqual([]);
    expect(doubts({ name: ['domian'] })).toEqual([]);
  });

  it('are none where a newer libvirt, or whoever emits events, may have words of their own', () => {
    expect(doubts({ kind: ['storage'], event: ['built'] })).toEqual([]);
    expect(doubts({ driver: ['network'], event: ['prepare', 'hotplugged'] })).toEqual([]);
    // What the "events scripts" RFC says for begin and end; libvirt's `-` is no suggestion for them.
    expect(doubts({ kind: ['domain'], event: ['start'], qualifier: ['before', 'after'] })).toEqual([]);
  });

  it('name events_set where the word stands there', () => {
    const { routes } = parseConfig('version: 1\nevents_script: /x\nevents_set: daemon netwrok\n', '/etc/hv.yaml');
    expect(doubtsOf(routes)).toEqual(["events_set: libvirt has no kind 'netwrok'; did you mean 'network'?"]);
  });

  it('are none about the configurations of examples/', () => {
    const folder = join(packageRoot, 'examples');
    const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      expect(doubtsOf(parseConfig(readFileSync(join(folder, file), 'utf8'), join(folder, file)).routes)).toEqual([]);
    }
  });
});
