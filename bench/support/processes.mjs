// @ts-check
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Returns the resident memory of a process, MB.
 * @param {number} pid
 */
export function rssOf(pid) {
  const found = /^VmRSS:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return (Number(found?.[1]) * 1_024) / 1e6;
}

/**
 * Returns the runner of a runtime, below the processes that confine it.
 * @param {number} pid
 */
export function runnerOf(pid) {
  const below = [pid];
  for (const parent of below) below.push(...childrenOf(parent));
  const runner = below.find((one) => one !== pid && commandOf(one).some((part) => part.endsWith('/runner/main.js')));
  const inner = below.findLast((one) => /node$/u.test(commandOf(one)[0] ?? '') && one !== pid);
  if (runner === undefined || inner === undefined) throw new Error(`the runtime ${pid} has no runner`);
  return inner;
}

/** @param {number} pid */
function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
}

/** @param {number} pid */
function commandOf(pid) {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
}
