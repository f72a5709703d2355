import fc from 'fast-check';
import { expect, it } from 'vitest';
import { loadXml } from '../../../src/shared/xml/document.js';
import { growDocument } from '../../../src/commands/check-lifecycle/document.js';
import { domainGrowths } from '../../../src/commands/check-lifecycle/grow-domain.js';
import { callsOf, worldOf } from '../../../src/commands/check-lifecycle/machine.js';
import { plansOf } from '../../../src/commands/check-lifecycle/plan.js';
import { readSamples } from '../../../src/commands/check-lifecycle/samples.js';

it('every document is XML with the name of its guest', { timeout: 60_000 }, async () => {
  const [samples, xml] = [await readSamples(), await loadXml()];
  let documents = 0;
  fc.assert(
    fc.property(plansOf({ steps: 20, guests: 3 }), (plan) => {
      const world = worldOf(plan);
      for (const step of plan.steps) {
        const sequence = callsOf(step, world);
        for (let next = sequence.next(); next.done !== true; next = sequence.next(false)) {
          const call = next.value;
          const { name, document } = growDocument(call, plan, step, samples);
          if (document === null || call.driver === 'network') continue;
          const open = xml.open(Buffer.from(document));
          try {
            expect(open.select('string(/domain/name)')).toEqual({ ok: [name] });
            documents += 1;
          } finally {
            open.close();
          }
        }
      }
    }),
    { numRuns: 40 },
  );
  expect(documents).toBeGreaterThan(40);
});

it.each(Object.keys(domainGrowths))('growing by %s changes a recorded document, and it stays XML', async (name) => {
  const [samples, xml] = [await readSamples(), await loadXml()];
  const grow = Object.entries(domainGrowths).find(([known]) => known === name)?.[1];
  const [recorded] = samples('qemu', 'started');
  for (let amount = 0; amount < 10; amount++) {
    const grown = grow?.(recorded, amount) ?? '';
    expect(grown).not.toBe(recorded);
    const open = xml.open(Buffer.from(grown));
    expect(open.select('string(/domain/name)')).toEqual({ ok: ['tiny'] });
    open.close();
  }
});
