import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSpawner } from '../../../src/runtime/scripts/spawner.js';
import type { SpawnEnd } from '../../../src/runtime/scripts/spawner-protocol.js';
import { everyFault, type Fault } from '../../support/every-fault.js';
import { buildWithFaults, callsOf } from '../../support/native-variant.js';

const folder = mkdtempSync(join(tmpdir(), 'spawner-faults-'));
const document = Buffer.from(`${'a line of the document\n'.repeat(8_000)}end`);
/** Denies documents with an end, and prints 90 KB: half a document, or half of what it prints, would be another answer. */
const guard = `head -c 90000 /dev/zero; case "$(tail -c 3)" in end) echo denied >&2; exit 7;; esac`;
const deadlineMs = 3_000;
const usual = { env: ['PATH=/usr/bin:/bin'], stdoutBytes: 1_000_000, stderrBytes: 1_000, deadlineMs };

let program = '';
beforeAll(() => {
  program = buildWithFaults(folder, 'spawner');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

type Outcome = SpawnEnd | Error;

/** Two scripts in a spawner of which one call fails. */
async function runBoth(fault: Fault): Promise<{ guarded: Outcome; other: Outcome; ms: number; said: string }> {
  const wrapper = join(folder, `spawner-${fault.call}-${fault.failure}-${fault.at}-${fault.lasting}`);
  const env = Object.entries(fault.env).map(([name, value]) => `export ${name}='${value}'`);
  writeFileSync(wrapper, `#!/bin/sh\n${env.join('\n')}\nexec '${program}'\n`, { mode: 0o755 });
  const start = performance.now();
  const spawner = createSpawner(wrapper);
  const outcome = (run: Promise<SpawnEnd>): Promise<Outcome> =>
    run.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  const [guarded, other] = await Promise.all([
    outcome(spawner.run({ ...usual, argv: ['/bin/sh', '-c', guard], stdin: document })),
    outcome(spawner.run({ ...usual, argv: ['/bin/sh', '-c', 'exit 9'], stdin: Buffer.from('small') })),
  ]);
  const ms = performance.now() - start;
  await spawner[Symbol.asyncDispose]();
  rmSync(wrapper);
  const said = JSON.stringify({ ...fault, guarded: words(guarded), other: words(other), ms });
  return { guarded, other, ms, said };
}

function words(outcome: Outcome): unknown {
  return outcome instanceof Error ? outcome.message : { ...outcome, stdout: outcome.stdout.length };
}

/** Whether a script has decided: it ended by itself, with a status. */
function decided(outcome: Outcome): outcome is SpawnEnd {
  return !(outcome instanceof Error) && outcome.stopped === null && outcome.status !== null;
}

async function check(fault: Fault): Promise<void> {
  const { guarded, other, ms, said } = await runBoth(fault);
  if (decided(guarded)) expect([guarded.status, guarded.stdout.length], said).toEqual([7, 90_000]);
  if (decided(other)) expect([other.status, other.stdout.length], said).toEqual([9, 0]);
  // TERM, KILL, giving up.
  expect(ms, said).toBeLessThan(deadlineMs + 1_500 + 3_000);
}

describe('the spawner', () => {
  it('gives no answer of a script that was given half a document, or whose output is cut, whichever call fails', async () => {
    const struck = await everyFault({ dir: folder, calls: callsOf('spawner'), first: 5 }, check);
    expect(struck).toBeGreaterThan(60);
  });

  it('answers in time when poll(2) fails for ever', async () => {
    const struck = await everyFault({ dir: folder, calls: ['poll'], lasting: true }, async (fault) => {
      const { guarded, other, ms, said } = await runBoth(fault);
      expect([decided(guarded) && guarded.status, decided(other) && other.status], said).toEqual([7, 9]);
      expect(ms, said).toBeLessThan(deadlineMs);
    });
    expect(struck).toBe(3);
  });
});
