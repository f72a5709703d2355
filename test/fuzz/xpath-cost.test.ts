import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadXml } from '../../src/shared/xml/document.js';
import { Budget, BudgetSpent } from '../../src/shared/xml/xpath/budget.js';
import { bounds, defaultLimits } from '../../src/contract/limits.js';
import { largeXmlDocument, xpathExpression } from '../support/xpath.js';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';

const xml = await loadXml();
/** What docs/determinism.md promises of a step of `select` at most, on a busy machine. */
const nsPerStep = 20;
/** Compiling a shape of expression or document that is new to V8, and what the clock cannot tell apart. */
const slackMs = 5;
/** Other processes take the caches and the clock of a processor; they do so less when it is tried again. */
const mostTries = 12;

interface Cost {
  readonly cpuMs: number;
  readonly steps: number;
}

function costOf(document: Buffer, xpath: string): Cost {
  const budget = new Budget({ steps: bounds.selectSteps, bytes: defaultLimits.memoryBytes });
  const open = xml.open(document);
  const before = process.cpuUsage();
  try {
    open.select(xpath, budget);
  } catch (error) {
    if (!(error instanceof BudgetSpent)) throw error;
  }
  const { user, system } = process.cpuUsage(before);
  open.close();
  return { cpuMs: (user + system) / 1_000, steps: Math.min(budget.steps, bounds.selectSteps) };
}

const excess = ({ cpuMs, steps }: Cost): number => cpuMs - slackMs - (steps * nsPerStep) / 1e6;

/** The least of several measurements. */
function leastCostOf(document: Buffer, xpath: string): Cost {
  let least = costOf(document, xpath);
  for (let tries = 1; excess(least) > 0 && tries < mostTries; tries += 1) {
    const again = costOf(document, xpath);
    if (again.cpuMs < least.cpuMs) least = again;
  }
  return least;
}

function expectPaid(document: Buffer, xpath: string): void {
  const cost = leastCostOf(document, xpath);
  const shown = `${cost.cpuMs} ms for ${cost.steps} steps: ${xpath.slice(0, 200)}`;
  expect(excess(cost), shown).toBeLessThanOrEqual(0);
}

describe('a select', () => {
  it(
    'takes no longer than its steps pay for, whatever it asks of whatever document',
    async () => {
      await fuzz({
        name: 'xpath-cost',
        inputs: fc.record({ document: largeXmlDocument, xpath: xpathExpression }),
        holds: ({ document, xpath }) => {
          expectPaid(Buffer.from(document), xpath);
        },
        save: ({ document, xpath }) => `${xpath}\n${document}`,
      });
    },
    fuzzTimeoutMs,
  );
});
