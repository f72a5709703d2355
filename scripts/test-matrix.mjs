// @ts-check
// Vets a generated corpus of modules, runs the sample plug-ins over all recorded calls, and runs the core tests, under
// every supported Node:
//   node scripts/test-matrix.mjs [--only vetting|determinism|tests] [--node VERSION]...
// Exit status: 0 all alike and passed, 1 a difference, a failure or a missing Node, 2 bad arguments.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { nodeBinary, pinnedNodes } from './node-binaries.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

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

/** Largest number of differences to print. */
const shownDifferences = 10;

/**
 * @typedef {{ version: string, binary: string }} NodeBinary
 * @typedef {{ ok: boolean, text: string }} Cell
 */

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
const vettingLine = z.object({ module: z.string(), answer: z.unknown() });
const determinismLine = z.object({ plugin: z.string(), call: z.string(), digest: z.string(), result: z.unknown() });

/**
 * A program whose output must be identical under every Node. It writes one line per subject.
 * @typedef {object} Comparison
 * @property {string} what
 * @property {string} program
 * @property {(line: unknown) => { subject: string, result: unknown }} read
 */

/** @type {Record<string, Comparison>} */
const comparisons = {
  vetting: {
    what: 'the corpus of modules, vetted',
    program: 'vetting.mjs',
    read: (line) => {
      const { module, answer } = vettingLine.parse(line);
      return { subject: module, result: answer };
    },
  },
  determinism: {
    what: 'sample plugins over all recorded calls, twice',
    program: 'determinism.mjs',
    read: (line) => {
      const { plugin, call, digest, result } = determinismLine.parse(line);
      return { subject: `${plugin} (${digest.slice(0, 12)}) at call ${call}`, result };
    },
  },
};
const columnNames = [...Object.keys(comparisons), 'tests'];

process.exitCode = await main();

async function main() {
  const started = performance.now();
  const { package: name, versions } = await pinnedNodes();
  const options = readArguments(versions);
  if (options === null) return 2;
  if (!existsSync(join(root, 'dist', 'runtime', 'sandbox.js'))) {
    console.error(`Cannot run the matrix: nothing is built; run 'npm run build' first`);
    return 2;
  }
  /** @type {NodeBinary[]} */
  const nodes = [];
  for (const version of options.versions) {
    try {
      nodes.push({ version, binary: await nodeBinary(name, version, tell) });
    } catch (error) {
      console.error(`Cannot test under Node ${version}: ${error instanceof Error ? error.message : String(error)}`);
      return 1;
    }
  }
  /** @type {Record<string, Cell[]>} */
  const columns = {};
  const wanted = columnNames.filter((name) => options.only === undefined || options.only === name);
  for (const column of wanted) {
    const comparison = comparisons[column];
    columns[column] = comparison === undefined ? await testUnderEach(nodes) : await compareNodes(nodes, comparison);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`\n${table(nodes, columns)}\n\n${seconds} s`);
  return Object.values(columns).every((cells) => cells.every(({ ok }) => ok)) ? 0 : 1;
}

/**
 * @param {readonly string[]} pinned
 * @returns {{ only: string | undefined, versions: readonly string[] } | null}
 */
function readArguments(pinned) {
  try {
    const { values } = parseArgs({ options: { only: { type: 'string' }, node: { type: 'string', multiple: true } } });
    if (values.only !== undefined && !columnNames.includes(values.only)) {
      throw new Error(`--only takes one of ${columnNames.join(', ')}, not '${values.only}'`);
    }
    const wanted = values.node ?? pinned;
    const versions = wanted.map(
      (one) => pinned.find((version) => version === one || version.startsWith(`${one}.`)) ?? one,
    );
    return { only: values.only, versions };
  } catch (error) {
    console.error(`Cannot run the matrix: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/**
 * Compares a program's output under each Node with its output under the first.
 * @param {readonly NodeBinary[]} nodes
 * @param {Comparison} comparison
 * @returns {Promise<Cell[]>}
 */
async function compareNodes(nodes, comparison) {
  const folder = await mkdtemp(join(tmpdir(), 'hookvisor-matrix-'));
  try {
    // Every Node gets the same bytes, whatever is built meanwhile.
    await cp(join(root, 'plugins'), join(folder, 'plugins'), { recursive: true });
    // dist/ is imported only once it is known to exist.
    const { inOrder } = await import('../dist/commands/replay/in-order.js');
    const outputs = [];
    for await (const output of inOrder(nodes, 2, (node) => resultsUnder(node, comparison, folder)))
      outputs.push(output);
    const first = outputs.find((one) => one !== null);
    return outputs.map((found) => {
      if (found === null || first === undefined) return { ok: false, text: 'failed' };
      const different = reportDifferences(comparison, first, found);
      return { ok: different === 0, text: different === 0 ? `${found.lines.length} alike` : `${different} differ` };
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Returns a program's output under one Node, with the plug-ins in a folder; null if it fails.
 * @param {NodeBinary} node
 * @param {Comparison} comparison
 * @param {string} folder
 * @returns {Promise<{ version: string, lines: string[] } | null>}
 */
async function resultsUnder({ version, binary }, { what, program: name }, folder) {
  tell(`Node ${version}: ${what}`);
  const output = join(folder, `${version}.jsonl`);
  const program = join(root, 'test', 'matrix', name);
  const { status, stderr } = await run(binary, [program, output, join(folder, 'plugins')]);
  if (status === 0) return { version, lines: (await readFile(output, 'utf8')).trim().split('\n') };
  console.error(`Node ${version}: ${stderr.trim()}`);
  return null;
}

/**
 * @param {Comparison} comparison
 * @param {{ version: string, lines: string[] }} expected
 * @param {{ version: string, lines: string[] }} found
 * @returns {number}
 */
function reportDifferences({ read }, expected, found) {
  const places = expected.lines.flatMap((line, at) => (line === found.lines[at] ? [] : [at]));
  for (const at of places.slice(0, shownDifferences)) {
    const one = read(JSON.parse(expected.lines[at] ?? ''));
    const line = found.lines[at];
    const other = line === undefined ? null : read(JSON.parse(line)).result;
    console.error(`${one.subject} differs:`);
    console.error(`  Node ${expected.version}: ${JSON.stringify(one.result)}`);
    console.error(`  Node ${found.version}: ${JSON.stringify(other)}`);
  }
  if (places.length > shownDifferences) console.error(`… and ${places.length - shownDifferences} more differences`);
  return places.length + Math.max(0, found.lines.length - expected.lines.length);
}

/**
 * @param {readonly NodeBinary[]} nodes
 * @returns {Promise<Cell[]>}
 */
async function testUnderEach(nodes) {
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

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<{ status: number | null, stderr: string }>}
 */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      stderr = (stderr + text).slice(-20_000);
    });
    child.once('error', reject);
    child.once('close', (status) => {
      resolve({ status, stderr });
    });
  });
}

/**
 * @param {readonly NodeBinary[]} nodes
 * @param {Record<string, Cell[]>} columns
 */
function table(nodes, columns) {
  const heads = ['node', ...Object.keys(columns)];
  const rows = nodes.map(({ version }, at) => [
    version,
    ...Object.values(columns).map((cells) => {
      const cell = cells[at];
      return cell === undefined ? '' : `${cell.ok ? '✓' : '✗'} ${cell.text}`;
    }),
  ]);
  const widths = heads.map((_, column) => Math.max(...[heads, ...rows].map((row) => row[column]?.length ?? 0)));
  return [heads, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {string} what */
function tell(what) {
  console.error(`… ${what}`);
}
