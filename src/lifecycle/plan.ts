import { domainGrowths } from './grow-domain.js';
import { createRandom, type Random, seedOf } from './random.js';

/** What somebody, or something, does. The state machine knows which hook calls follow, and when it is possible. */
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
  /** Which guest, where the action is one of a guest. */
  readonly guest: number;
  /** Where it goes wrong: 0 nowhere, else a point of the action. */
  readonly trouble: number;
  /** Decides everything else: the recorded document, the reason, the time that passes. */
  readonly seed: number;
}

/** A guest and what its documents have grown by. */
export interface GuestPlan {
  readonly driver: 'qemu' | 'lxc';
  readonly name: string;
  /** Interfaces on a virtual network, for each of which there is a port. */
  readonly interfaces: number;
  readonly growths: readonly { readonly name: keyof typeof domainGrowths; readonly amount: number }[];
}

/** A whole case. Every list of steps is legal: what is impossible in its state does not happen. */
export interface Plan {
  readonly guests: readonly GuestPlan[];
  readonly steps: readonly Step[];
}

/** Names that libvirt takes. It refuses a slash and a line feed only. */
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

/** The plan that a seed decides. */
export function planOf(seed: number, { steps, guests }: { readonly steps: number; readonly guests: number }): Plan {
  const random = createRandom(seed);
  const guest = (): GuestPlan => ({
    driver: random.oneIn(4) ? 'lxc' : 'qemu',
    name: random.pick(names),
    interfaces: random.int(3),
    growths: growthsOf(random),
  });
  return {
    guests: Array.from({ length: guests }, guest),
    steps: Array.from({ length: steps }, (_, at) => ({
      action: random.pick(actions),
      guest: random.int(guests),
      trouble: random.oneIn(3) ? 1 + random.int(4) : 0,
      seed: seedOf(seed, at),
    })),
  };
}

/** Each at most once: two of a kind need not be a document that libvirt would write. */
function growthsOf(random: Random): GuestPlan['growths'] {
  const drawn = Array.from({ length: random.int(6) }, () => ({
    name: growthNames[random.int(growthNames.length)] ?? 'memory',
    amount: random.int(64),
  }));
  return drawn.filter(({ name }, at) => drawn.findIndex((other) => other.name === name) === at);
}
