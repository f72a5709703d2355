import { expect, it } from 'vitest';
import { type Plan, planOf } from '../../../src/commands/check-lifecycle/plan.js';
import { shrink } from '../../../src/commands/check-lifecycle/shrink.js';

it('leaves what is needed to fail, and nothing else', async () => {
  const plan = planOf(7, { steps: 30, guests: 3 });
  const fails = ({ steps, guests }: Plan): Promise<true | null> => {
    const saved = steps.findIndex(({ action }) => action === 'save');
    const restarted = steps.findLastIndex(({ action }) => action === 'restart-libvirtd');
    return Promise.resolve(saved !== -1 && restarted > saved && guests.length === 3 ? true : null);
  };
  const needed: Plan = {
    ...plan,
    steps: [
      ...plan.steps,
      { action: 'save', guest: 2, trouble: 3, seed: 9 },
      ...plan.steps,
      { action: 'restart-libvirtd', guest: 1, trouble: 0, seed: 5 },
    ],
  };
  const { plan: small, tries } = await shrink<true>(needed, true, fails);
  expect(small.steps).toEqual([
    { action: 'save', guest: 0, trouble: 0, seed: 0 },
    { action: 'restart-libvirtd', guest: 0, trouble: 0, seed: 0 },
  ]);
  expect(small.guests.every(({ growths, interfaces }) => growths.length === 0 && interfaces === 0)).toBe(true);
  expect(tries).toBeLessThan(400);
});
