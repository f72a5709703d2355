// @ts-check
// Vets a generated corpus of modules, runs the sample plug-ins over all recorded calls, and runs the core tests, under
// every supported Node:
//   node scripts/test-matrix.mjs [--only vetting|determinism|tests] [--node VERSION]...
// Exit status: 0 all alike and passed, 1 a difference, a failure or a missing Node, 2 bad arguments.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareNodes, comparisons } from './matrix/compare-nodes.mjs';
import { root, tell } from './matrix/run.mjs';
import { testNodes } from './matrix/test-nodes.mjs';
import { nodeBinary, pinnedNodes } from './node-binaries.mjs';

/** @typedef {import('./matrix/run.mjs').NodeBinary} NodeBinary */
/** @typedef {import('./matrix/run.mjs').Cell} Cell */

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
    columns[column] = comparison === undefined ? await testNodes(nodes) : await compareNodes(nodes, comparison);
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
