import type { RunnerLifecycle } from './runner-lifecycle.js';

/** What `status` reports about the runner of one trust group. */
export interface RunnerStatus {
  readonly trust: string;
  /** Null while no process runs. */
  readonly pid: number | null;
  readonly state: 'starting' | 'ready' | 'busy' | 'waiting to restart' | 'closed';
  /** Names of the handlers loaded in it. */
  readonly handlers: readonly string[];
  /** Processes that were lost. */
  readonly restarts: number;
  /** Processes that were replaced before they reached a limit. */
  readonly replacements: number;
  /** Requests in the queue. */
  readonly queued: number;
}

/** Describes what a runner is doing. Maintenance does not count as busy. */
export function runnerState(lifecycle: RunnerLifecycle['state'], busy: boolean): RunnerStatus['state'] {
  switch (lifecycle) {
    case 'closed':
      return 'closed';
    case 'starting':
      return 'starting';
    case 'backing-off':
    case 'failing':
      return 'waiting to restart';
    case 'serving':
      return busy ? 'busy' : 'ready';
  }
}
