// @ts-check
import { execFile } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The measures of `machine`, and the load: how long the machine takes for the parts of a call. */
const measures = {
  load: 'load average',
  load1MiB: 'a load from 1 MiB, ns',
  load8MiB: 'a load from 8 MiB, ns',
  pageFault: 'a page fault, ns',
  wakeUp: 'two wake-ups after 2 ms, ns',
};

/**
 * Values before and after the run, because other guests on the same host affect them.
 * @typedef {Record<string, number>} Moment By the names of `measures`.
 * @typedef {{ node: string, cpu: string, cpus: number, before: Moment, after: Moment }} Machine
 */

/**
 * @param {import('./stage.mjs').Stage} stage
 * @returns {Promise<Moment>}
 */
export async function momentOf(stage) {
  const load = loadavg()[0] ?? 0;
  const { stdout } = await run(stage.program('machine'));
  /** @type {Moment} */
  const moment = { load };
  for (const [, name = '', ns] of stdout.matchAll(/^(\w+) (.+)$/gmu)) moment[name] = Number(ns);
  return moment;
}

/**
 * @param {Moment} before
 * @param {Moment} after
 * @returns {Machine}
 */
export function machineOf(before, after) {
  return { node: process.version, cpu: cpus()[0]?.model ?? '', cpus: cpus().length, before, after };
}

/** @param {Machine} machine */
export function machineText({ node, cpu, cpus: count, before, after }) {
  const column = (/** @type {number | string | undefined} */ value) => String(value).padStart(8);
  const row = (/** @type {string} */ name, /** @type {(number | string | undefined)[]} */ ...values) =>
    `  ${name.padEnd(28)} ${values.map(column).join(' ')}`;
  const rows = Object.entries(measures).map(([key, name]) => row(name, before[key], after[key]));
  return [`The machine: ${count} × ${cpu}, Node ${node}`, row('', 'before', 'after'), ...rows, ''].join('\n');
}
