import type { Action, GuestPlan, Plan, Step } from './plan.js';

/** A hook call of libvirt, before its document is built. */
export interface PlannedCall {
  readonly driver: 'daemon' | 'qemu' | 'lxc' | 'network';
  readonly event: string;
  readonly qualifier: string;
  readonly extra: string;
  /** Number of the guest, or of the guest that owns a port; null for the daemon and a network. */
  readonly guest: number | null;
}

/** Calls in the order of libvirt. The consumer answers each with whether it was denied. */
type Calls<Result = void> = Generator<PlannedCall, Result, boolean>;

interface Guest extends GuestPlan {
  readonly number: number;
  state: 'off' | 'running' | 'saved' | 'away';
  /** Number of existing ports. */
  ports: number;
}

export interface World {
  readonly guests: readonly Guest[];
  network: 'inactive' | 'active';
}

/** Returns the state before the first step: the last guest is on another host, and nothing runs. */
export function worldOf({ guests }: Plan): World {
  const last = guests.length - 1;
  return {
    network: 'inactive',
    guests: guests.map((guest, number) => ({
      ...guest,
      number,
      state: number === last ? 'away' : 'off',
      ports: 0,
    })),
  };
}

/**
 * Yields the hook calls of one step, none when it is impossible; the answers change the world. The calls were measured
 * on libvirt 9.0.0: see docs/lifecycle.md.
 */
export function* callsOf(step: Step, world: World): Calls {
  const guest = world.guests[step.guest % Math.max(1, world.guests.length)];
  const { action } = step;
  switch (action) {
    case 'net-start':
      if (world.network === 'inactive') yield* startNetwork(world);
      return;
    case 'net-destroy':
      if (world.network === 'inactive') return;
      world.network = 'inactive';
      yield network('stopped', 'end');
      return;
    case 'net-update':
      if (world.network === 'active') yield network('updated', 'begin');
      return;
    case 'restart-libvirtd':
      yield* restart(world);
      return;
    case 'reload-libvirtd':
      yield { driver: 'daemon', event: 'reload', qualifier: 'begin', extra: 'SIGHUP', guest: null };
      return;
    case 'start':
    case 'stop':
    case 'save':
    case 'restore':
    case 'migrate-in':
    case 'migrate-out':
    case 'migrate-offline':
    case 'attach-interface':
    case 'detach-interface':
      if (guest !== undefined) yield* guestCalls({ ...step, action }, guest, world);
  }
}

type HostAction = 'net-start' | 'net-destroy' | 'net-update' | 'restart-libvirtd' | 'reload-libvirtd';

interface GuestStep extends Step {
  readonly action: Exclude<Action, HostAction>;
}

function* guestCalls(step: GuestStep, guest: Guest, world: World): Calls {
  const { state, driver } = guest;
  switch (step.action) {
    case 'start':
      if (state === 'off') yield* start(step, guest, world);
      return;
    case 'restore':
      if (state !== 'saved' || driver !== 'qemu' || !canConnect(guest, world)) return;
      if (!(yield call(guest, 'restore', 'begin'))) yield* start(step, guest, world);
      return;
    case 'migrate-in':
      if (state !== 'away' || driver !== 'qemu' || !canConnect(guest, world)) return;
      // Trouble 1: the source aborts after the hook on the destination was called.
      if (!(yield call(guest, 'migrate', 'begin')) && step.trouble !== 1) yield* start(step, guest, world);
      return;
    case 'migrate-offline':
      if (state === 'away' && driver === 'qemu' && !(yield call(guest, 'migrate', 'begin'))) guest.state = 'off';
      return;
    case 'stop':
      if (state === 'running') yield* end(guest, 'off', reasons[step.seed % reasons.length] ?? '-');
      return;
    case 'save':
      if (state === 'running' && driver === 'qemu') yield* end(guest, 'saved', 'saved');
      return;
    case 'migrate-out':
      if (state === 'running' && driver === 'qemu') yield* end(guest, 'away', 'migrated');
      return;
    case 'attach-interface':
      if (state === 'running' && world.network === 'active' && !(yield port(guest, 'port-created'))) guest.ports += 1;
      return;
    case 'detach-interface':
      if (state !== 'running' || guest.ports === 0) return;
      guest.ports -= 1;
      yield port(guest, 'port-deleted');
  }
}

/** Since libvirt 10.5.0, `release` has a reason; one contains a space. */
const reasons = ['-', 'shutdown', 'destroyed', 'crashed', 'failed', 'from snapshot', 'daemon', 'unknown'] as const;

/**
 * Yields the calls from `prepare` to `started`. Trouble 2: something else fails after `prepare`; 3: QEMU does not
 * start; 4: libvirtd is killed, and no more calls follow. A denial has the same effect as other failures.
 */
function* start({ trouble }: Step, guest: Guest, world: World): Calls {
  if (!canConnect(guest, world)) return;
  const before = guest.state;
  if ((yield call(guest, 'prepare', 'begin')) || trouble === 2) return yield* end(guest, before, 'failed');
  for (let nic = 0; nic < guest.interfaces; nic++) {
    if (yield port(guest, 'port-created')) return yield* end(guest, before, 'failed');
    guest.ports += 1;
  }
  if (yield call(guest, 'start', 'begin')) return yield* end(guest, before, 'failed');
  if (trouble === 3) return yield* end(guest, before, 'failed');
  if (trouble === 4) {
    guest.ports = 0;
    yield { driver: 'daemon', event: 'start', qualifier: '-', extra: 'start', guest: null };
    return;
  }
  guest.state = 'running';
  if (yield call(guest, 'started', 'begin')) yield* end(guest, 'off', 'failed');
}

/** Yields the calls when a guest ends: after a stop, a save, a migration, or a failed start. */
function* end(guest: Guest, state: Guest['state'], reason: string): Calls {
  guest.state = state;
  yield call(guest, 'stopped', 'end');
  for (; guest.ports > 0; guest.ports--) yield port(guest, 'port-deleted');
  yield { ...call(guest, 'release', 'end'), extra: reason };
}

function* startNetwork(world: World): Calls {
  if (yield network('start', 'begin')) return;
  world.network = 'active';
  yield network('started', 'begin');
}

/** Yields the calls of a daemon restart: guests keep running, and libvirtd reconnects to them. */
function* restart({ guests }: World): Calls {
  yield { driver: 'daemon', event: 'shutdown', qualifier: '-', extra: 'shutdown', guest: null };
  yield { driver: 'daemon', event: 'start', qualifier: '-', extra: 'start', guest: null };
  for (const guest of guests.filter(({ state }) => state === 'running')) {
    for (let nic = 0; nic < guest.ports; nic++) yield port(guest, 'port-created');
    if (yield call(guest, 'reconnect', 'begin')) yield* end(guest, 'off', 'failed');
  }
}

function canConnect({ interfaces }: Guest, { network: state }: World): boolean {
  return interfaces === 0 || state === 'active';
}

function call({ driver, number }: Guest, event: string, qualifier: string): PlannedCall {
  return { driver, event, qualifier, extra: '-', guest: number };
}

function port({ number }: Guest, event: string): PlannedCall {
  return { driver: 'network', event, qualifier: 'begin', extra: '-', guest: number };
}

function network(event: string, qualifier: string): PlannedCall {
  return { driver: 'network', event, qualifier, extra: '-', guest: null };
}
