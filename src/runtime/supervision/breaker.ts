/** Why an open breaker rejects a request; becomes the message of the handler's failure. */
export interface Refusal {
  readonly failures: number;
  /** Milliseconds until the next trial; null while a trial is in flight. */
  readonly retryInMs: number | null;
}

/** How a pass ended: the plug-in answered, its runner was lost, or the request never reached the plug-in. */
export type PassResult = 'answered' | 'cost-a-runner' | 'not-sent';

/** Permission to send one request. Settle it once, with the result. */
export interface Pass {
  readonly trial: boolean;
  settle(result: PassResult): void;
}

export interface BreakerStatus {
  readonly state: 'closed' | 'open' | 'half-open';
  /** Failures that cost a runner: those within the window while closed, those since the last answer otherwise. */
  readonly failures: number;
  /** Milliseconds until the next trial; null while closed or while a trial is in flight. */
  readonly retryInMs: number | null;
}

/**
 * Stops requests to a handler whose plug-in repeatedly costs a runner. A closed breaker passes everything. After
 * `breakerBounds.failures` within the window, it opens. After a backoff, it passes one trial; an answer closes it.
 */
export interface Breaker {
  /** Returns why a request would be rejected now, or null. Changes nothing. */
  refusal(): Refusal | null;
  /** Returns a pass for one request, or the reason for the rejection. */
  enter(): Pass | Refusal;
  status(): BreakerStatus;
}

/** When breakers open and how long they stay open, milliseconds. */
export const breakerBounds = {
  failures: 3,
  windowMs: 60_000,
  firstBackoffMs: 1_000,
  longestBackoffMs: 60_000,
} as const;

/** Creates a closed breaker. `now` returns milliseconds of a monotonic clock. */
export function createBreaker(now: () => number = () => performance.now()): Breaker {
  return new RunnerBreaker(now);
}

class RunnerBreaker implements Breaker {
  readonly #now: () => number;
  /** Times of the failures while closed. */
  #failedAt: number[] = [];
  /** Failures since the plug-in last answered, while open. */
  #failures = 0;
  #openUntil: number | null = null;
  #trial: Pass | null = null;
  #backoffMs = 0;
  #closedAt = -Infinity;
  /** Incremented when the breaker opens or closes: older passes say nothing about the plug-in now. */
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
    // A plug-in that only answers trials does not get the shortest backoff again.
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

  /** Drops failures that are too old to count while closed. */
  #forget(): void {
    const since = this.#now() - breakerBounds.windowMs;
    if (this.#openUntil === null) this.#failedAt = this.#failedAt.filter((at) => at > since);
  }

  #retryInMs(): number | null {
    if (this.#openUntil === null || this.#trial !== null) return null;
    return Math.max(0, Math.ceil(this.#openUntil - this.#now()));
  }
}

/** Describes a rejection for a message. */
export function refusalText({ failures, retryInMs }: Refusal): string {
  const next = retryInMs === null ? 'a trial is in flight' : `next trial in ${Math.ceil(retryInMs / 1_000)} s`;
  return `its breaker is open after ${failures} failures that cost its process; ${next}`;
}
