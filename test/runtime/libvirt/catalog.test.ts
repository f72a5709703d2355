import { describe, expect, it } from 'vitest';
import {
  catalog,
  defaultDriver,
  denialIsAnswered,
  effectOf,
  grantNames,
  kindOf,
  lookUp,
  takesDocument,
} from '../../../src/runtime/libvirt/catalog.js';
import { fromHookArguments } from '../../../src/runtime/libvirt/call.js';
import { captures } from '../../support/captures.js';

/** driver | operation | sub | document | effect | filter, one row for each call that libvirt makes. */
const table = `
daemon  start        -     none                 ignored         -
daemon  shutdown     -     none                 ignored         -
daemon  reload       begin none                 ignored         -
qemu    prepare      begin domain               aborts          -
qemu    start        begin domain               aborts          -
qemu    started      begin domain               kills-guest     -
qemu    stopped      end   domain-without-id    ignored         -
qemu    release      end   domain-without-id    ignored         -
qemu    migrate      begin domain-with-secrets  aborts          filter
qemu    restore      begin domain               aborts          filter
qemu    reconnect    begin domain               kills-guest     -
qemu    attach       begin domain               unknown         -
lxc     prepare      begin domain               aborts          -
lxc     start        begin domain               aborts          -
lxc     started      begin domain               kills-guest     -
lxc     stopped      end   domain               ignored         -
lxc     release      end   domain               ignored         -
lxc     reconnect    begin domain               kills-guest     -
libxl   prepare      begin domain               aborts          -
libxl   start        begin domain               aborts          -
libxl   started      begin domain               kills-guest     -
libxl   stopped      end   domain               ignored         -
libxl   release      end   domain               ignored         -
libxl   migrate      begin domain-with-secrets  aborts          filter
libxl   reconnect    begin domain               kills-guest     -
bhyve   prepare      begin domain               aborts          -
bhyve   start        begin domain               aborts          -
bhyve   started      begin domain               kills-guest     -
bhyve   stopped      end   domain               ignored         -
bhyve   release      end   domain               ignored         -
network start        begin network              aborts          -
network started      begin network              leaks           -
network stopped      end   network              ignored         -
network port-created begin network-and-port     aborts          -
network port-deleted begin network-and-port     ignored         -
network updated      begin network              already-applied -`;

const none: ReadonlySet<string> = new Set();

describe('catalog', () => {
  it('holds exactly the operations for which libvirt calls a hook', () => {
    const rows = catalog.map(({ driver, event, qualifier, document, effect, filter }) =>
      [driver, event, qualifier, document, effect, filter ? 'filter' : '-'].join(' '),
    );
    const expected = table
      .trim()
      .split('\n')
      .map((row) => row.split(/ +/u).join(' '));
    expect(rows.sort()).toEqual(expected.sort());
  });

  it('marks the drivers that were read and not run', () => {
    const read = catalog.filter(({ source }) => source === 'source').map(({ driver, event }) => `${driver} ${event}`);
    expect(read.filter((row) => !/^(?:libxl|bhyve) /u.test(row))).toEqual(['qemu attach']);
  });

  it('knows every recorded call, and its document', () => {
    const calls = captures;
    expect(calls).toHaveLength(101);
    for (const { driver, argv, stdin } of calls) {
      const document = stdin === null ? null : Buffer.from(stdin);
      const { event } = fromHookArguments({ driver, args: argv, document, time: 0, id: 'id' });
      const operation = lookUp(event);
      const root = /^<(\w+)/u.exec(stdin ?? '')?.[1];
      switch (operation?.document) {
        case 'domain':
        case 'domain-with-secrets':
          expect(root).toBe('domain');
          break;
        case 'domain-without-id':
          expect(stdin).toMatch(/^<domain type='\w+'>/u);
          break;
        case 'network':
          expect(root).toBe('hookData');
          expect(stdin).not.toContain('<networkport>');
          break;
        case 'network-and-port':
          expect(root).toBe('hookData');
          expect(stdin).toContain('<networkport>');
          break;
        case 'none':
          expect(stdin).toBeNull();
          break;
        case undefined:
          expect.fail(`${driver} ${argv.join(' ')} is not in the catalog`);
      }
      expect(event.uuid).toBe(/<uuid>(.*?)<\/uuid>/u.exec(stdin ?? '')?.[1] ?? null);
    }
  });

  it("reads the RFC's before and after as begin and end", () => {
    expect(lookUp({ driver: 'qemu', event: 'start', qualifier: 'before' })?.qualifier).toBe('begin');
    expect(lookUp({ driver: 'network', event: 'stopped', qualifier: 'after' })?.qualifier).toBe('end');
    expect(lookUp({ driver: 'qemu', event: 'start', qualifier: 'after' })).toBeNull();
  });
});

describe('denialIsAnswered', () => {
  it('answers a denial where the operation then fails cleanly', () => {
    expect(denialIsAnswered({ driver: 'qemu', event: 'prepare', qualifier: 'begin' }, none)).toBe(true);
    expect(denialIsAnswered({ driver: 'network', event: 'port-created', qualifier: 'begin' }, none)).toBe(true);
  });

  it('answers a denial that kills, leaks or comes too late only with the grant of its name', () => {
    for (const { effect, ...event } of catalog.filter((operation) => operation.effect !== 'aborts')) {
      expect(denialIsAnswered(event, none), `${effect} ${event.event}`).toBe(false);
      expect(denialIsAnswered(event, new Set(['replace', 'deny-other']))).toBe(false);
      expect(denialIsAnswered(event, new Set([`deny-${event.event}`]))).toBe(true);
    }
  });

  it('answers a denial of an operation that a newer libvirt begins', () => {
    expect(denialIsAnswered({ driver: 'qemu', event: 'snapshot', qualifier: 'begin' }, none)).toBe(true);
    expect(denialIsAnswered({ driver: 'storage', event: 'start', qualifier: 'before' }, none)).toBe(true);
    expect(denialIsAnswered({ driver: 'qemu', event: 'snapshot', qualifier: 'end' }, none)).toBe(false);
    expect(denialIsAnswered({ driver: 'qemu', event: 'snapshot', qualifier: '-' }, none)).toBe(false);
  });
});

describe('what follows from the catalog', () => {
  it('calls an effect unknown where the operation is', () => {
    expect(effectOf({ driver: 'qemu', event: 'reconnect', qualifier: 'begin' })).toBe('kills-guest');
    expect(effectOf({ driver: 'qemu', event: 'constructor', qualifier: 'begin' })).toBe('unknown');
  });

  it('takes a document back on migrate and restore only', () => {
    const filters = catalog.filter(takesDocument).map(({ driver, event }) => `${driver} ${event}`);
    expect(filters).toEqual(['qemu migrate', 'qemu restore', 'libxl migrate']);
    expect(takesDocument({ driver: 'qemu', event: 'snapshot', qualifier: 'begin' })).toBe(false);
  });

  it('names a grant for each operation whose denial does not abort it everywhere', () => {
    expect([...grantNames].sort()).toEqual(
      [
        'deny-attach',
        'deny-port-deleted',
        'deny-reconnect',
        'deny-release',
        'deny-reload',
        'deny-shutdown',
        'deny-start',
        'deny-started',
        'deny-stopped',
        'deny-updated',
        'replace',
      ].sort(),
    );
  });

  it('gives each driver its kind, and each kind the driver to assume', () => {
    expect(['qemu', 'lxc', 'libxl', 'bhyve', 'network', 'daemon', 'storage'].map(kindOf)).toEqual([
      'domain',
      'domain',
      'domain',
      'domain',
      'network',
      'daemon',
      'storage',
    ]);
    expect(['domain', 'network', 'daemon', 'storage'].map(defaultDriver)).toEqual([
      'qemu',
      'network',
      'daemon',
      'storage',
    ]);
  });
});
