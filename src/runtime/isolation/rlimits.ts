import { release } from 'node:os';
import type { Protection } from './isolation.js';
import { findTool } from '../find-tool.js';

/** Limits that the kernel enforces on one sandbox process. */
export interface ResourceLimits {
  /**
   * Private writable memory, MiB (RLIMIT_DATA). A limit on address space would not work: V8 reserves about 10 GiB for
   * each memory of a plug-in without using it. Pages count as soon as they are writable.
   */
  readonly memoryMiB: number;
  /** CPU time, seconds. */
  readonly cpuSeconds: number;
  /** Processes and threads. Node itself needs 11 threads. */
  readonly processes: number;
}

/** Whether the user of the process has no other processes, so that their number can be limited. */
export type Users = 'shared' | 'own' | 'own-namespace';

/** Node opens hundreds of modules of a library concurrently. */
const openFiles = 1_024;

/** Returns the command that sets the limits and executes the next one; empty if util-linux is not installed. */
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

/** Returns the protections that are missing because the limits cannot be set. */
export function lacksOfLimits(users: Users): Protection[] {
  if (findTool('prlimit') === null) return ['bounded-resources', 'bounded-processes'];
  return canCount(users) ? [] : ['bounded-processes'];
}

/** Since Linux 5.14, the kernel counts the processes of a user separately in each user namespace. */
function canCount(users: Users): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return users === 'own' || (users === 'own-namespace' && (major > 5 || (major === 5 && minor >= 14)));
}
