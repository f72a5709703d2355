import fc from 'fast-check';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';

/** How long each property is tried, milliseconds; `npm run fuzz` says more. */
const budgetMs = Number(process.env['HOOKVISOR_FUZZ_MS'] ?? 3_500);
const givenSeed = process.env['HOOKVISOR_FUZZ_SEED'];
const seed = givenSeed === undefined ? Date.now() % 0x7fffffff : Number(givenSeed);
const progressMs = 10_000;

/** What a test must be given so that one property fits: the time to try it, and then to find a short failing input. */
export const fuzzTimeoutMs = 2 * budgetMs + 60_000;

/** One property over generated inputs. */
export interface Fuzzed<Input> {
  /** Names the file of a failing input. */
  readonly name: string;
  readonly inputs: fc.Arbitrary<Input>;
  /** Throws where the input shows a mistake. */
  readonly holds: (input: Input) => void | Promise<void>;
  /** The failing input as a file; JSON when absent. */
  readonly save?: (input: Input) => string | Uint8Array;
}

/** Tries a property until its time is over. A failure names the seed and the file with the shortest failing input. */
export async function fuzz<Input>({ name, inputs, holds, save }: Fuzzed<Input>): Promise<void> {
  const progress = progressOf(name);
  const property = fc.asyncProperty(inputs, async (input) => {
    progress();
    await holds(input);
  });
  const found = await fc.check(property, {
    seed,
    numRuns: 100_000_000,
    interruptAfterTimeLimit: budgetMs,
    markInterruptAsFailure: false,
  });
  const input = found.counterexample?.[0];
  if (!found.failed || input === undefined) {
    expect(found.numRuns).toBeGreaterThan(0);
    return;
  }
  const folder = join(packageRoot, 'node_modules', '.cache', 'hookvisor-fuzz');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}-${seed}`);
  writeFileSync(file, save?.(input) ?? JSON.stringify(input, null, 2));
  const repeat = `npm run fuzz -- --only ${name} --seed ${seed}`;
  throw new Error(
    `${name} fails after ${found.numRuns} inputs (${found.numShrinks} times shortened): the input is in '${file}'; ` +
      `to repeat it: ${repeat}`,
    { cause: found.errorInstance },
  );
}

function progressOf(name: string): () => void {
  let runs = 0;
  let next = performance.now() + progressMs;
  return () => {
    runs += 1;
    if (performance.now() < next) return;
    next = performance.now() + progressMs;
    process.stderr.write(`… ${name}: ${runs} inputs\n`);
  };
}
