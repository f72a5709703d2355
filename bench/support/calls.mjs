// @ts-check
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Microseconds of each call, and how many did not end with exit status 0.
 * @typedef {{ us: number[], failed: number }} Calls
 */

/**
 * @param {string} text Lines of `spawn` or `blast`: nanoseconds, exit status.
 * @returns {Calls}
 */
function parse(text) {
  const lines = text.trim().split('\n');
  const pairs = lines.map((line) => line.split(' ').map(Number));
  return { us: pairs.map(([ns = 0]) => ns / 1_000), failed: pairs.filter(([, status]) => status !== 0).length };
}

/**
 * Makes hook calls as libvirt does.
 * @param {import('./stage.mjs').Stage} stage
 * @param {{ argv: readonly string[], count: number, pauseUs?: number, concurrency?: number, document?: string,
 *   env?: Record<string, string> }} options
 */
export async function spawnCalls(stage, { argv, count, pauseUs = 0, concurrency = 1, document, env = {} }) {
  const args = [String(count), String(concurrency), String(pauseUs), document ?? stage.document, ...argv];
  // The environment that libvirt passes on, and nothing for a shell to read at start-up.
  const { stdout } = await run(stage.spawn, args, {
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return parse(stdout);
}

/**
 * Makes calls over the socket without a process for each.
 * @param {import('./stage.mjs').Stage} stage
 * @param {{ socket: string, frame: string, count: number, concurrency?: number, pauseUs?: number }} options
 * @returns {Promise<Calls & { totalMs: number }>}
 */
export async function socketCalls(stage, { socket, frame, count, concurrency = 1, pauseUs = 0 }) {
  const args = [socket, frame, ...[count, concurrency, pauseUs].map(String)];
  const { stdout, stderr } = await run(stage.blast, args, { maxBuffer: 64 * 1024 * 1024 });
  return { ...parse(stdout), totalMs: Number(stderr.trim()) / 1e6 };
}

/**
 * @typedef {{ name: string, measure: () => Promise<Calls> }} Rival
 * @typedef {{ name: string, calls: number, failed: number, p50: number, p95: number, p99: number }} Row
 */

/**
 * Measures all rivals in turns, in each round in another order, so that other load affects all alike.
 * @param {readonly Rival[]} rivals
 * @param {number} rounds
 * @returns {Promise<Row[]>}
 */
export async function inTurns(rivals, rounds) {
  const all = rivals.map(() => /** @type {Calls} */ ({ us: [], failed: 0 }));
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < rivals.length; turn += 1) {
      const at = (turn + round) % rivals.length;
      const { us, failed } = (await rivals[at]?.measure()) ?? { us: [], failed: 0 };
      // The first call of a turn finds the caches of the previous rival.
      all[at]?.us.push(...us.slice(1));
      const sum = all[at];
      if (sum !== undefined) sum.failed += failed;
    }
  }
  return rivals.map(({ name }, at) => rowOf(name, all[at] ?? { us: [], failed: 0 }));
}

/**
 * @param {string} name
 * @param {Calls} calls
 * @returns {Row}
 */
export function rowOf(name, { us, failed }) {
  const sorted = us.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { name, calls: us.length, failed, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/**
 * @param {readonly Row[]} rows
 * @param {string} name
 */
export function p50Of(rows, name) {
  const row = rows.find((one) => one.name === name);
  if (row === undefined) throw new Error(`there is no row '${name}'`);
  return row.p50;
}
