// @ts-check
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { root, run, tell } from './run.mjs';

/** @typedef {import('./run.mjs').NodeBinary} NodeBinary */
/** @typedef {import('./run.mjs').Cell} Cell */

/** The tests that depend most on the Node version: plug-ins, sandbox processes, end to end. */
const coreTests = [
  ...['component', 'extism', 'untrusted-values'].map((name) => `test/runner/${name}.test.ts`),
  ...['admit', 'check-world', 'fuel/harden'].map((name) => `test/admission/${name}.test.ts`),
  'test/runtime/sandbox.test.ts',
  ...['runner', 'supervisor', 'background-compilation'].map((name) => `test/runtime/supervision/${name}.test.ts`),
  'test/e2e/captures.test.ts',
  'test/matrix',
];

/** Tests that take seconds on an idle machine must not fail on a busy one. */
const testTimeoutMs = 120_000;

const reportSchema = z.object({
  success: z.boolean(),
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({ status: z.string(), fullName: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});
/**
 * Runs the core tests under each Node.
 * @param {readonly NodeBinary[]} nodes
 * @returns {Promise<Cell[]>}
 */
export async function testNodes(nodes) {
  const folder = await mkdtemp(join(tmpdir(), 'hookvisor-matrix-'));
  try {
    /** @type {Cell[]} */
    const cells = [];
    for (const { version, binary } of nodes) {
      if (version === process.versions.node && nodes.length > 1) {
        cells.push({ ok: true, text: `runs 'npm test'` });
        continue;
      }
      tell(`Node ${version}: the core of the tests`);
      const output = join(folder, `${version}.json`);
      const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
      const reporters = ['--reporter=json', `--outputFile=${output}`];
      const { stderr } = await run(binary, [
        vitest,
        'run',
        ...coreTests,
        `--testTimeout=${testTimeoutMs}`,
        ...reporters,
      ]);
      cells.push(await testCell(version, output, stderr));
    }
    return cells;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} version
 * @param {string} output
 * @param {string} stderr
 * @returns {Promise<Cell>}
 */
async function testCell(version, output, stderr) {
  if (!existsSync(output)) {
    console.error(stderr.trim());
    return { ok: false, text: 'failed' };
  }
  const report = reportSchema.parse(JSON.parse(await readFile(output, 'utf8')));
  for (const { name, message, assertionResults } of report.testResults) {
    if (message !== '') console.error(`Node ${version}: ${name}: ${message}`);
    for (const { status, fullName, failureMessages } of assertionResults) {
      if (status === 'failed') console.error(`Node ${version}: ${fullName}\n  ${failureMessages.join('\n  ')}`);
    }
  }
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = report;
  const text = `${passed} passed${failed > 0 ? `, ${failed} failed` : ''}${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return { ok: report.success, text };
}
