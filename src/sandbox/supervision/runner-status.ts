/** What `status` says of the runner of one trust group. */
export interface RunnerStatus {
  readonly trust: string;
  /** Null while no process runs. */
  readonly pid: number | null;
  readonly state: 'starting' | 'ready' | 'busy' | 'waiting to restart' | 'closed';
  /** Names of the handlers loaded in it. */
  readonly handlers: readonly string[];
  /** Processes that were lost. */
  readonly restarts: number;
  /** Processes that were replaced before they wore out. */
  readonly replacements: number;
  /** Requests that wait. */
  readonly queued: number;
}

/** The state of a runner as a word. Making instances ahead does not make it busy. */
export function runnerState(facts: {
  readonly closed: boolean;
  readonly waiting: boolean;
  readonly serving: boolean;
  readonly doing: 'nothing' | 'task' | 'chore';
}): RunnerStatus['state'] {
  if (facts.closed) return 'closed';
  if (facts.waiting) return 'waiting to restart';
  if (!facts.serving) return 'starting';
  return facts.doing === 'task' ? 'busy' : 'ready';
}
