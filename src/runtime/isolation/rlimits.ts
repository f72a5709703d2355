import { release } from 'node:os';
import type { Protection } from './isolation.js';
import { findTool } from '../find-tool.js';

/** Bounds that the kernel keeps for one sandbox process. */
export interface ResourceLimits {
  /**
   * Private writable memory, MiB (RLIMIT_DATA). Address space says nothing here: V8 reserves about 10 GiB of it for each
   * memory of a plugin, and uses none. Pages count as soon as they can be written.
   */
  readonly memoryMiB: number;
  /** CPU time, seconds. */
  readonly cpuSeconds: number;
  /** Processes and threads. Node itself has 11 threads. */
  readonly processes: number;
}

/** Whether the process's user has no other processes, so that they can be counted. */
export type Users = 'shared' | 'own' | 'own-namespace';

/** Node opens the modules of a library all at once, hundreds of them. */
const openFiles = 1_024;

/** The command that sets the limits and then becomes the one that follows it; empty where util-linux is not installed. */
export function limited(limits: ResourceLimits, users: Users): string[] {
  const prlimit = findTool('prlimit');
  if (prlimit === null) return [];
  return [
    prlimit,
    ...['--core=0', '--fsize=0', '--memlock=0', '--msgqueue=0'],
    `--nofile=${openFiles}`,
    `--cpu=${limits.cpuSeconds}`,
    `--data=${limits.memoryMiB * 1024 * 1024}`,
    ...(canCount(users) ? [`--nproc=${limits.processes}`] : []),
    '--',
  ];
}

/** What cannot be claimed here because the limits cannot be set. */
export function lacksOfLimits(users: Users): Protection[] {
  if (findTool('prlimit') === null) return ['bounded-resources', 'bounded-processes'];
  return canCount(users) ? [] : ['bounded-processes'];
}

/** Since Linux 5.14 a user's processes are counted in each user namespace apart. */
function canCount(users: Users): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return users === 'own' || (users === 'own-namespace' && (major > 5 || (major === 5 && minor >= 14)));
}
