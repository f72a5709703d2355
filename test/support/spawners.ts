import { spawnSync } from 'node:child_process';

/** The native processes that a process has started for its scripts, by their ids. */
export function spawnersOf(parent: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=,comm=', '--ppid', String(parent)], { encoding: 'utf8' });
  return [...stdout.matchAll(/^\s*(\d+) spawner$/gmu)].map((match) => Number(match[1]));
}
