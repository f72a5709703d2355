import { describe, expect, it } from 'vitest';
import { type Plan, plansOf } from '../../../src/commands/check-lifecycle/plan.js';
import { shortestFailure } from '../../../src/commands/check-lifecycle/shortest-failure.js';

const plans = plansOf({ steps: 30, guests: 3 });

/** Fails where a guest that was saved meets a restart of libvirtd. */
function findFault({ steps, guests }: Plan): Promise<'lost' | 'other' | null> {
  const saved = steps.findIndex(({ action }) => action === 'save');
  const restarted = steps.findLastIndex(({ action }) => action === 'restart-libvirtd');
  if (saved !== -1 && restarted > saved && guests.length === 3) return Promise.resolve('lost');
  return Promise.resolve(steps.length < 2 ? 'other' : null);
}

const isAlike = (a: string, b: string): boolean => a === b;
const shortest = (seed: number) => shortestFailure(plans, { seed, findFault, isAlike });

describe('the shortest failure of a seed', () => {
  it('has what is needed to fail alike, and nothing else', async () => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    const failures = (await Promise.all(seeds.map(shortest))).filter((failure) => failure?.fault === 'lost');
    expect(failures.length).toBeGreaterThan(5);
    for (const failure of failures) {
      expect(failure?.plan.steps).toEqual([
        { action: 'save', guest: 0, trouble: 0, seed: 0 },
        { action: 'restart-libvirtd', guest: 0, trouble: 0, seed: 0 },
      ]);
      const plain = { driver: 'qemu', name: 'web-1', interfaces: 0, growths: [] };
      expect(failure?.plan.guests).toEqual([plain, plain, plain]);
    }
  });

  it('is the same each time', async () => {
    expect(await shortest(3)).toEqual(await shortest(3));
  });

  it('is none where nothing fails', async () => {
    const never = (): Promise<null> => Promise.resolve(null);
    expect(await shortestFailure(plans, { seed: 1, findFault: never, isAlike })).toBeNull();
  });
});
