import * as fc from 'fast-check';
import { domainGrowths } from './grow-domain.js';

/** Something that happens to a guest or a network. The state machine knows when it is possible and which calls follow. */
export const actions = [
  'start',
  'stop',
  'save',
  'restore',
  'migrate-in',
  'migrate-out',
  'migrate-offline',
  'attach-interface',
  'detach-interface',
  'net-start',
  'net-destroy',
  'net-update',
  'restart-libvirtd',
  'reload-libvirtd',
] as const;
export type Action = (typeof actions)[number];

export interface Step {
  readonly action: Action;
  /** Index of the guest, for actions on a guest. */
  readonly guest: number;
  /** Where the action fails: 0 nowhere, otherwise a point of the action. */
  readonly trouble: number;
  /** Determines everything else: the recorded document, the reason, the elapsed time. */
  readonly seed: number;
}

/** A guest and the growth of its documents. */
export interface GuestPlan {
  readonly driver: 'qemu' | 'lxc';
  readonly name: string;
  /** Number of interfaces on a virtual network; each has a port. */
  readonly interfaces: number;
  readonly growths: readonly { readonly name: keyof typeof domainGrowths; readonly amount: number }[];
}

/** A test case. Every list of steps is valid: a step that is impossible in its state is skipped. */
export interface Plan {
  readonly guests: readonly GuestPlan[];
  readonly steps: readonly Step[];
}

/** Names that libvirt accepts. It only rejects slashes and line feeds. */
const names = [
  'web-1',
  'tiny',
  'Tiny VM; rm -rf',
  '-rf',
  'ünïcode-名前',
  'a.b_c:d',
  '<b>&amp;"\'',
  `${'long-'.repeat(40)}name`,
  '${HOME}$(id)`id`',
] as const;

const growthNames = Object.keys(domainGrowths).filter(
  (name): name is keyof typeof domainGrowths => name in domainGrowths,
);

/** Seeds are drawn evenly; fast-check prefers small numbers otherwise. */
const seeds = fc.noBias(fc.nat(2 ** 31 - 1));

const guestPlans: fc.Arbitrary<GuestPlan> = fc.record({
  driver: fc.constantFrom('qemu', 'qemu', 'qemu', 'lxc'),
  name: fc.constantFrom(...names),
  interfaces: fc.nat(2),
  /** Each at most once: libvirt might never write a document with two of a kind. */
  growths: fc.uniqueArray(fc.record({ name: fc.noShrink(fc.constantFrom(...growthNames)), amount: fc.nat(63) }), {
    selector: ({ name }) => name,
    maxLength: 5,
  }),
});

function stepsOf(guests: number): fc.Arbitrary<Step> {
  return fc.record({
    action: fc.noShrink(fc.constantFrom(...actions)),
    guest: fc.nat(guests - 1),
    trouble: fc.oneof(
      { withCrossShrink: true },
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
    ),
    seed: seeds,
  });
}

/** Generates plans with `guests` guests and about `steps` steps. */
export function plansOf({ steps, guests }: { readonly steps: number; readonly guests: number }): fc.Arbitrary<Plan> {
  return fc.noBias(
    fc.record({
      guests: fc.array(guestPlans, { minLength: guests, maxLength: guests }),
      steps: fc.array(stepsOf(guests), { maxLength: 2 * steps, size: 'max' }),
    }),
  );
}
