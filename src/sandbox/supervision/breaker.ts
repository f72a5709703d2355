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
  /** When the failures of a closed breaker happened. */
  let failedAt: number[] = [];
  /** Failures since the plugin last answered, of an open one. */
  let failures = 0;
  let openUntil: number | null = null;
  let trial: Pass | null = null;
  let backoffMs = 0;
  let closedAt = -Infinity;
  /** Passes of a time before the breaker last opened or closed say nothing about the plugin now. */
  let era = 0;

  const forget = (): void => {
    const since = now() - breakerBounds.windowMs;
    if (openUntil === null) failedAt = failedAt.filter((at) => at > since);
  };
  const open = (): void => {
    // A plugin that only answers trials does not start again with the shortest wait.
    const relapse = openUntil !== null || now() - closedAt <= breakerBounds.windowMs;
    const next = relapse ? backoffMs * 2 : breakerBounds.firstBackoffMs;
    backoffMs = Math.min(Math.max(next, breakerBounds.firstBackoffMs), breakerBounds.longestBackoffMs);
    openUntil = now() + backoffMs;
    era += 1;
  };
  const close = (): void => {
    openUntil = null;
    failedAt = [];
    closedAt = now();
    era += 1;
  };
  const settleTrial = (result: PassResult): void => {
    trial = null;
    if (result === 'answered') close();
    if (result !== 'cost-a-runner') return;
    failures += 1;
    open();
  };
  const settle = (result: PassResult, of: number): void => {
    if (result !== 'cost-a-runner' || of !== era) return;
    forget();
    failedAt.push(now());
    if (failedAt.length < breakerBounds.failures) return;
    failures = failedAt.length;
    open();
  };
  const pass = (isTrial: boolean): Pass => {
    const issued = era;
    let settled = false;
    return {
      trial: isTrial,
      settle(result) {
        if (settled) return;
        settled = true;
        if (isTrial) settleTrial(result);
        else settle(result, issued);
      },
    };
  };
  const retryInMs = (): number | null =>
    openUntil === null || trial !== null ? null : Math.max(0, Math.ceil(openUntil - now()));
  const refusal = (): Refusal | null => {
    if (openUntil === null || (trial === null && now() >= openUntil)) return null;
    return { failures, retryInMs: retryInMs() };
  };

  return {
    refusal,
    enter() {
      const refused = refusal();
      if (refused !== null) return refused;
      if (openUntil === null) return pass(false);
      trial = pass(true);
      return trial;
    },
    status() {
      forget();
      const state = openUntil === null ? 'closed' : trial === null ? 'open' : 'half-open';
      return { state, failures: openUntil === null ? failedAt.length : failures, retryInMs: retryInMs() };
    },
  };
}

/** A refusal in words. */
export function refusalText({ failures, retryInMs }: Refusal): string {
  const next = retryInMs === null ? 'it is being tried right now' : `next try in ${Math.ceil(retryInMs / 1_000)} s`;
  return `its breaker is open after ${failures} failures that cost its process; ${next}`;
}
