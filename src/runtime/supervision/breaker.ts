/** Why an open breaker lets nothing through, for a handler's failure. */
export interface Refusal {
  readonly failures: number;
  /** Milliseconds until the next trial; null while one is under way. */
  readonly retryInMs: number | null;
}

/** How a pass ended: the plugin answered, it cost its runner, or the request never reached the plugin. */
export type PassResult = 'answered' | 'cost-a-runner' | 'not-sent';

/** The right to send one request. Its result must be told once. */
export interface Pass {
  readonly trial: boolean;
  settle(result: PassResult): void;
}

export interface BreakerStatus {
  readonly state: 'closed' | 'open' | 'half-open';
  /** Failures that cost a runner: within the window while closed, since it last answered otherwise. */
  readonly failures: number;
  /** Milliseconds until the next trial; null while closed or while one is under way. */
  readonly retryInMs: number | null;
}

/**
 * Stops asking a handler whose plugin costs a runner again and again. Closed, it lets everything through; after
 * `breakerBounds.failures` within the window it opens; after a while it lets one trial through, whose answer closes it.
 */
export interface Breaker {
  /** Why a request would be refused now, or null. Changes nothing. */
  refusal(): Refusal | null;
  /** A pass for one request, or why there is none. */
  enter(): Pass | Refusal;
  status(): BreakerStatus;
}

/** When breakers open and how long they stay so, milliseconds. */
export const breakerBounds = {
  failures: 3,
  windowMs: 60_000,
  firstBackoffMs: 1_000,
  longestBackoffMs: 60_000,
} as const;

/** A closed breaker. `now` gives milliseconds that never go back. */
export function createBreaker(now: () => number = () => performance.now()): Breaker {
  return new RunnerBreaker(now);
}

class RunnerBreaker implements Breaker {
  readonly #now: () => number;
  /** When the failures of a closed breaker happened. */
  #failedAt: number[] = [];
  /** Failures since the plugin last answered, of an open one. */
  #failures = 0;
  #openUntil: number | null = null;
  #trial: Pass | null = null;
  #backoffMs = 0;
  #closedAt = -Infinity;
  /** Passes of a time before the breaker last opened or closed say nothing about the plugin now. */
  #era = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  refusal(): Refusal | null {
    if (this.#openUntil === null || (this.#trial === null && this.#now() >= this.#openUntil)) return null;
    return { failures: this.#failures, retryInMs: this.#retryInMs() };
  }

  enter(): Pass | Refusal {
    const refused = this.refusal();
    if (refused !== null) return refused;
    if (this.#openUntil === null) return this.#pass(false);
    this.#trial = this.#pass(true);
    return this.#trial;
  }

  status(): BreakerStatus {
    this.#forget();
    const retryInMs = this.#retryInMs();
    if (this.#openUntil === null) return { state: 'closed', failures: this.#failedAt.length, retryInMs };
    return { state: this.#trial === null ? 'open' : 'half-open', failures: this.#failures, retryInMs };
  }

  #pass(isTrial: boolean): Pass {
    const issued = this.#era;
    let settled = false;
    return {
      trial: isTrial,
      settle: (result) => {
        if (settled) return;
        settled = true;
        if (isTrial) this.#settleTrial(result);
        else this.#settle(result, issued);
      },
    };
  }

  #settle(result: PassResult, issued: number): void {
    if (result !== 'cost-a-runner' || issued !== this.#era) return;
    this.#forget();
    this.#failedAt.push(this.#now());
    if (this.#failedAt.length < breakerBounds.failures) return;
    this.#failures = this.#failedAt.length;
    this.#open();
  }

  #settleTrial(result: PassResult): void {
    this.#trial = null;
    if (result === 'answered') this.#close();
    if (result !== 'cost-a-runner') return;
    this.#failures += 1;
    this.#open();
  }

  #open(): void {
    // A plugin that only answers trials does not start again with the shortest wait.
    const relapse = this.#openUntil !== null || this.#now() - this.#closedAt <= breakerBounds.windowMs;
    const next = relapse ? this.#backoffMs * 2 : breakerBounds.firstBackoffMs;
    this.#backoffMs = Math.min(Math.max(next, breakerBounds.firstBackoffMs), breakerBounds.longestBackoffMs);
    this.#openUntil = this.#now() + this.#backoffMs;
    this.#era += 1;
  }

  #close(): void {
    this.#openUntil = null;
    this.#failedAt = [];
    this.#closedAt = this.#now();
    this.#era += 1;
  }

  /** Drops the failures of a closed breaker that are too old to count. */
  #forget(): void {
    const since = this.#now() - breakerBounds.windowMs;
    if (this.#openUntil === null) this.#failedAt = this.#failedAt.filter((at) => at > since);
  }

  #retryInMs(): number | null {
    if (this.#openUntil === null || this.#trial !== null) return null;
    return Math.max(0, Math.ceil(this.#openUntil - this.#now()));
  }
}

/** A refusal in words. */
export function refusalText({ failures, retryInMs }: Refusal): string {
  const next = retryInMs === null ? 'it is being tried right now' : `next try in ${Math.ceil(retryInMs / 1_000)} s`;
  return `its breaker is open after ${failures} failures that cost its process; ${next}`;
}
