import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callsOf, type PlannedCall, worldOf } from '../../../src/commands/check-lifecycle/machine.js';
import {
  type Action,
  type GuestPlan,
  type Plan,
  plansOf,
  type Step,
} from '../../../src/commands/check-lifecycle/plan.js';

const guest: GuestPlan = { driver: 'qemu', name: 'web-1', interfaces: 1, growths: [] };

const step = (action: Action, fields: Partial<Step> = {}): Step => ({
  ...{ action, guest: 0, trouble: 0, seed: 0 },
  ...fields,
});

/** The calls of all steps; `denied` says which of them are answered with a denial. */
function callsOfAll(plan: Plan, denied: (call: PlannedCall) => boolean = () => false): PlannedCall[] {
  const world = worldOf(plan);
  const calls: PlannedCall[] = [];
  for (const one of plan.steps) {
    const sequence = callsOf(one, world);
    for (let next = sequence.next(); next.done !== true; next = sequence.next(denied(next.value)))
      calls.push(next.value);
  }
  return calls;
}

function words(steps: readonly Step[], denied: (call: PlannedCall) => boolean = () => false): string {
  const calls = callsOfAll({ guests: [guest, guest], steps }, denied);
  return calls.map(({ driver, event }) => (driver === 'qemu' ? event : `${driver}:${event}`)).join(' ');
}

const net = 'network:start network:started';
const up = 'prepare network:port-created start started';
const down = 'stopped network:port-deleted release';

describe('the hook calls of', () => {
  it.each([
    ['start and stop', [step('start'), step('stop')], `${net} ${up} ${down}`],
    ['save and restore', [step('start'), step('save'), step('restore')], `${net} ${up} ${down} restore ${up}`],
    ['a migration to here', [step('migrate-in', { guest: 1 })], `${net} migrate ${up}`],
    ['a migration that the source gives up', [step('migrate-in', { guest: 1, trouble: 1 })], `${net} migrate`],
    ['an offline migration', [step('migrate-offline', { guest: 1 })], `${net} migrate`],
    [
      'a restart of libvirtd while a guest runs',
      [step('start'), step('restart-libvirtd')],
      `${net} ${up} daemon:shutdown daemon:start network:port-created reconnect`,
    ],
    ['a start that fails', [step('start', { trouble: 2 })], `${net} prepare stopped release`],
    [
      'libvirtd killed during a start',
      [step('start', { trouble: 4 })],
      `${net} prepare network:port-created start daemon:start`,
    ],
    ['what is not possible', [step('stop'), step('restore'), step('start', { guest: 1 })], net],
  ] as const)('%s are those of libvirt', (_, steps, expected) => {
    expect(words([step('net-start'), ...steps])).toBe(expected);
  });

  it.each([
    ['prepare', `prepare stopped release`],
    ['port-created', `prepare network:port-created stopped release`],
    ['start', `prepare network:port-created start ${down}`],
    ['started', `${up} ${down}`],
  ])('a start that is denied at %s end with stopped and release', (event, expected) => {
    const denied = (call: PlannedCall): boolean =>
      call.event === event && !(event === 'start' && call.driver === 'network');
    expect(
      words([step('net-start'), step('start')], (call) =>
        call.event !== 'started' || call.driver === 'qemu' ? denied(call) : false,
      ),
    ).toBe(`${net} ${expected}`);
  });
});

it('whatever is denied, a guest is never started twice, and every port is taken away before release', () => {
  fc.assert(
    fc.property(plansOf({ steps: 60, guests: 3 }), fc.nat(6), fc.nat(6), (plan, denies, shift) => {
      const running = new Set<number | null>();
      const ports = new Map<number, number>();
      let number = 0;
      callsOfAll(plan, (call) => {
        const { event, guest: about } = call;
        const denied = denies > 0 && (number++ + shift) % (denies + 2) === 0;
        if (call.driver !== 'daemon' && call.driver !== 'network') {
          if (event === 'prepare') expect(running.has(about)).toBe(false);
          if (event === 'started') running.add(about);
          if (event === 'stopped') running.delete(about);
          if (event === 'reconnect') expect(running.has(about)).toBe(true);
          if (event === 'release') expect(ports.get(about ?? -1) ?? 0).toBe(0);
        }
        if (about !== null && event === 'port-deleted') ports.set(about, (ports.get(about) ?? 0) - 1);
        // libvirtd makes ports again when it has been restarted, and forgets those of a start that it did not survive.
        if (about !== null && event === 'port-created' && !denied && !running.has(about)) {
          ports.set(about, (ports.get(about) ?? 0) + 1);
        }
        if (call.driver === 'daemon' && event === 'start') {
          for (const one of ports.keys()) if (!running.has(one)) ports.set(one, 0);
        }
        if (about !== null && running.has(about)) ports.set(about, 0);
        if (event === 'port-deleted' && about !== null) ports.set(about, Math.max(0, ports.get(about) ?? 0));
        return denied;
      });
    }),
    { numRuns: 100 },
  );
});
