// @ts-check
import { execFile } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * What ran, and what the machine itself takes for what a call is made of, ns: a load from 1 and from 8 MiB, a page fault,
 * two processes that wake each other up. Measured before and after, because other guests of the same host change it.
 * @typedef {{ node: string, cpu: string, cpus: number, before: Moment, after: Moment }} Machine
 * @typedef {{ load: number, load1MiB: number, load8MiB: number, pageFault: number, wakeUp: number }} Moment
 */

/**
 * @param {import('./stage.mjs').Stage} stage
 * @returns {Promise<Moment>}
 */
export async function momentOf(stage) {
  const load = loadavg()[0] ?? 0;
  const { stdout } = await run(stage.program('machine'));
  const measured = new Map(stdout.split('\n').map((line) => /** @type {[string, string]} */ (line.split(' '))));
  const ns = (/** @type {string} */ name) => Number(measured.get(name));
  return {
    load,
    load1MiB: ns('load1MiB'),
    load8MiB: ns('load8MiB'),
    pageFault: ns('pageFault'),
    wakeUp: ns('wakeUp'),
  };
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
  /** @type {readonly (readonly [string, keyof Moment])[]} */
  const rows = [
    ['load average', 'load'],
    ['a load from 1 MiB, ns', 'load1MiB'],
    ['a load from 8 MiB, ns', 'load8MiB'],
    ['a page fault, ns', 'pageFault'],
    ['two wake-ups after 2 ms, ns', 'wakeUp'],
  ];
  const lines = rows.map(([name, key]) => {
    const [first, last] = [before[key], after[key]].map((value) => String(value).padStart(8));
    return `  ${name.padEnd(28)} ${first} ${last}`;
  });
  return [`The machine: ${count} × ${cpu}, Node ${node}`, `  ${''.padEnd(28)}   before    after`, ...lines, ''].join(
    '\n',
  );
}
