// @ts-check
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { root, run, tell } from './run.mjs';

/** @typedef {import('./run.mjs').NodeBinary} NodeBinary */
/** @typedef {import('./run.mjs').Cell} Cell */

/** Largest number of differences to print. */
const shownDifferences = 10;

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
export const comparisons = {
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
/**
 * Compares a program's output under each Node with its output under the first.
 * @param {readonly NodeBinary[]} nodes
 * @param {Comparison} comparison
 * @returns {Promise<Cell[]>}
 */
export async function compareNodes(nodes, comparison) {
  const folder = await mkdtemp(join(tmpdir(), 'hookvisor-matrix-'));
  try {
    // Every Node gets the same bytes, whatever is built meanwhile.
    await cp(join(root, 'plugins'), join(folder, 'plugins'), { recursive: true });
    // dist/ is imported only once it is known to exist.
    const { inOrder } = await import('../../dist/commands/replay/in-order.js');
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
