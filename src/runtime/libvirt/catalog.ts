import type { HookEvent } from '../../contract/event.js';
export { defaultDriver, kindOf } from './kind.js';

/**
 * What libvirt does if the exit status of a hook is not 0:
 * - `aborts`: the operation fails cleanly;
 * - `kills-guest`: a guest that is running, or has just started, is destroyed;
 * - `leaks`: the operation fails and leaves resources behind that block later operations;
 * - `already-applied`: the caller may receive an error, but the change remains;
 * - `ignored`: libvirt ignores the exit status;
 * - `unknown`: unknown, for example for operations of a newer libvirt.
 */
export type Effect = 'aborts' | 'kills-guest' | 'leaks' | 'already-applied' | 'ignored' | 'unknown';

/** What libvirt writes to stdin of the hook. `domain-without-id`: the root element no longer has an `id` attribute. */
export type DocumentKind =
  'domain' | 'domain-without-id' | 'domain-with-secrets' | 'network' | 'network-and-port' | 'none';

/** One operation for which libvirt calls a hook. */
export interface Operation {
  readonly driver: string;
  readonly event: string;
  readonly qualifier: string;
  readonly effect: Effect;
  /** Whether libvirt uses the output of the hook as the new document. */
  readonly filter: boolean;
  readonly document: DocumentKind;
  /** `measured`: observed with libvirt 9.0.0; `source`: read in the source of libvirt, up to 10.5.0. */
  readonly source: 'measured' | 'source';
  readonly note?: string;
}

type EventKey = Pick<HookEvent, 'driver' | 'event' | 'qualifier'>;

/** The operations of every hypervisor driver, from src/util/virhook.c and the process code of each driver in libvirt. */
function guestLife(driver: string, source: Operation['source'], gone: DocumentKind): Operation[] {
  const begin = { driver, qualifier: 'begin', filter: false, document: 'domain', source } as const;
  const end = { driver, qualifier: 'end', effect: 'ignored', filter: false, document: gone, source } as const;
  return [
    { ...begin, event: 'prepare', effect: 'aborts', note: 'stopped and release still follow' },
    { ...begin, event: 'start', effect: 'aborts', note: 'stopped and release still follow' },
    { ...begin, event: 'started', effect: 'kills-guest', note: 'the guest has just come up; it is destroyed' },
    { ...end, event: 'stopped' },
    { ...end, event: 'release', note: 'extra is the reason since libvirt 10.5.0' },
  ];
}

function reconnect(driver: string, source: Operation['source'], note: string): Operation {
  return {
    driver,
    event: 'reconnect',
    qualifier: 'begin',
    effect: 'kills-guest',
    filter: false,
    document: 'domain',
    source,
    note,
  };
}

function migrate(driver: string, source: Operation['source']): Operation {
  return {
    driver,
    event: 'migrate',
    qualifier: 'begin',
    effect: 'aborts',
    filter: true,
    document: 'domain-with-secrets',
    source,
    note: 'called on the destination; after a denial the guest keeps running on the source',
  };
}

const daemon = { driver: 'daemon', effect: 'ignored', filter: false, document: 'none', source: 'measured' } as const;
const network = {
  driver: 'network',
  qualifier: 'begin',
  filter: false,
  document: 'network',
  source: 'measured',
} as const;

/** Every operation for which libvirt calls a hook, and how it uses the answer. */
export const catalog: readonly Operation[] = [
  { ...daemon, event: 'start', qualifier: '-', note: 'the listening socket waits while the hook runs' },
  { ...daemon, event: 'shutdown', qualifier: '-', note: 'the daemon waits with its exit while the hook runs' },
  { ...daemon, event: 'reload', qualifier: 'begin', note: 'a second SIGHUP while the hook runs is dropped' },

  ...guestLife('qemu', 'measured', 'domain-without-id'),
  migrate('qemu', 'measured'),
  {
    driver: 'qemu',
    event: 'restore',
    qualifier: 'begin',
    effect: 'aborts',
    filter: true,
    document: 'domain',
    source: 'measured',
  },
  reconnect('qemu', 'measured', 'libvirtd restarted; the running guest is destroyed'),
  {
    driver: 'qemu',
    event: 'attach',
    qualifier: 'begin',
    effect: 'unknown',
    filter: false,
    document: 'domain',
    source: 'source',
    note: 'libvirt has no caller of it left',
  },

  ...guestLife('lxc', 'measured', 'domain'),
  reconnect('lxc', 'measured', 'libvirtd restarted; the running container is destroyed'),

  ...guestLife('libxl', 'source', 'domain'),
  migrate('libxl', 'source'),
  reconnect('libxl', 'source', 'libvirtd restarted; the running domain is destroyed'),

  ...guestLife('bhyve', 'source', 'domain'),

  { ...network, event: 'start', effect: 'aborts', note: 'no stopped follows' },
  {
    ...network,
    event: 'started',
    effect: 'leaks',
    note: 'fails and leaves bridge and dnsmasq behind; later starts say "already in use"',
  },
  { ...network, qualifier: 'end', event: 'stopped', effect: 'ignored' },
  {
    ...network,
    event: 'port-created',
    effect: 'aborts',
    document: 'network-and-port',
    note: 'the start of the domain, or the attach of its interface, fails as well',
  },
  { ...network, event: 'port-deleted', effect: 'ignored', document: 'network-and-port' },
  { ...network, event: 'updated', effect: 'already-applied', note: 'the change is applied and saved all the same' },
];

/** Keys are unique, because arguments cannot contain NUL. */
function keyOf({ driver, event, qualifier }: EventKey): string {
  // The "events scripts" RFC says `before` and `after` where libvirt says `begin` and `end`.
  const sub = qualifier === 'before' ? 'begin' : qualifier === 'after' ? 'end' : qualifier;
  return `${driver}\0${event}\0${sub}`;
}

const byKey: ReadonlyMap<string, Operation> = new Map(catalog.map((operation) => [keyOf(operation), operation]));

/** Returns the entry for an event; null for an unknown operation. */
export function lookUp(event: EventKey): Operation | null {
  return byKey.get(keyOf(event)) ?? null;
}

/** Returns the effect of denying an event; `unknown` for an unknown operation. */
export function effectOf(event: EventKey): Effect {
  return lookUp(event)?.effect ?? 'unknown';
}

/**
 * Tells whether a denial of this event is sent to libvirt. It is if the operation then fails cleanly; for an unknown
 * operation, if it is about to begin; for all others, only with the grant `deny-OPERATION`.
 */
export function denialIsAnswered(event: EventKey, grants: ReadonlySet<string>): boolean {
  const operation = lookUp(event);
  if (operation === null && (event.qualifier === 'begin' || event.qualifier === 'before')) return true;
  return operation?.effect === 'aborts' || grants.has(`deny-${event.event}`);
}

/** Tells whether libvirt accepts a replacement of the document for this event. */
export function takesDocument(event: EventKey): boolean {
  return lookUp(event)?.filter ?? false;
}

/** Returns all grants: `replace`, and `deny-OPERATION` for operations that a denial does not simply abort. */
export const grantNames: readonly string[] = [
  'replace',
  ...new Set(catalog.filter(({ effect }) => effect !== 'aborts').map(({ event }) => `deny-${event}`)),
];
