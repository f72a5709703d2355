import type { Action, GuestPlan, Plan, Step } from './plan.js';

/** A hook call that libvirt makes, before its document is grown. */
export interface PlannedCall {
  readonly driver: 'daemon' | 'qemu' | 'lxc' | 'network';
  readonly event: string;
  readonly qualifier: string;
  readonly extra: string;
  /** Number of the guest that it is about, of a port its owner; null for the daemon and a network. */
  readonly guest: number | null;
}

/** Calls in the order of libvirt; each is answered with whether libvirt was told to stop. */
type Calls<Result = void> = Generator<PlannedCall, Result, boolean>;

interface Guest extends GuestPlan {
  readonly number: number;
  state: 'off' | 'running' | 'saved' | 'away';
  /** Ports that exist. */
  ports: number;
}

export interface World {
  readonly guests: readonly Guest[];
  network: 'inactive' | 'active';
}

/** Before the first step: the last guest is on another host, nothing runs. */
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
 * The hook calls of one step, none when it is not possible; the world changes with the answers. What libvirt calls was
 * measured on 9.0.0: docs/lifecycle.md.
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
      // Trouble 1: the source gives up after the destination was asked.
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

/** Since libvirt 10.5.0 `release` has a reason, one with a space in it. */
const reasons = ['-', 'shutdown', 'destroyed', 'crashed', 'failed', 'from snapshot', 'daemon', 'unknown'] as const;

/**
 * From `prepare` to `started`. Trouble 2: something else fails once it is prepared; 3: QEMU does not come up; 4: libvirtd
 * is killed meanwhile, and no more calls come. A denial ends it in the same way as other failures.
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

/** A guest is gone: after a stop, a save, a migration, or a start that failed. */
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

/** Guests run on without libvirtd, which then finds them again. */
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
