import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breakerBounds, createBreaker, refusalText } from '../../../src/runtime/supervision/breaker.js';
import type { Breaker, Pass, PassResult, Refusal } from '../../../src/runtime/supervision/breaker.js';

const { failures, firstBackoffMs, longestBackoffMs, windowMs } = breakerBounds;

/** A breaker with a clock that stands until it is moved. */
function clocked(): { breaker: Breaker; wait: (ms: number) => void; now: () => number } {
  let time = 1_000;
  const now = (): number => time;
  return { breaker: createBreaker(now), wait: (ms) => void (time += ms), now };
}

const isPass = (entered: Pass | Refusal): entered is Pass => 'settle' in entered;

function pass(breaker: Breaker): Pass {
  const entered = breaker.enter();
  if (!isPass(entered)) throw new Error(`refused: ${refusalText(entered)}`);
  return entered;
}

function fail(breaker: Breaker, times: number = failures): void {
  for (let i = 0; i < times; i += 1) pass(breaker).settle('cost-a-runner');
}

describe('a breaker', () => {
  it('opens after three failures within the window, and says when it tries again', () => {
    const { breaker, wait } = clocked();
    fail(breaker, failures - 1);
    expect(breaker.status()).toEqual({ state: 'closed', failures: 2, retryInMs: null });
    fail(breaker, 1);
    expect(breaker.status()).toEqual({ state: 'open', failures: 3, retryInMs: firstBackoffMs });
    wait(200);
    const refused = breaker.enter();
    expect(refused).toEqual({ failures: 3, retryInMs: 800 });
    expect(isPass(refused) ? '' : refusalText(refused)).toBe(
      'its breaker is open after 3 failures that cost its process; next trial in 1 s',
    );
  });

  it('forgets failures that are older than the window', () => {
    const { breaker, wait } = clocked();
    fail(breaker, failures - 1);
    wait(windowMs);
    fail(breaker, failures - 1);
    expect(breaker.status().state).toBe('closed');
  });

  it('lets one trial through at a time, whose answer closes it', () => {
    const { breaker, wait } = clocked();
    fail(breaker);
    wait(firstBackoffMs);
    const trial = pass(breaker);
    expect(breaker.status()).toEqual({ state: 'half-open', failures: 3, retryInMs: null });
    const second = breaker.enter();
    expect(isPass(second) ? '' : refusalText(second)).toContain('a trial is in flight');
    trial.settle('answered');
    expect(breaker.status()).toEqual({ state: 'closed', failures: 0, retryInMs: null });
  });

  it('waits twice as long after each trial that fails, at most a minute', () => {
    const { breaker, wait } = clocked();
    fail(breaker);
    const waits: (number | null)[] = [];
    for (let i = 0; i < 8; i += 1) {
      const { retryInMs } = breaker.status();
      waits.push(retryInMs);
      wait(retryInMs ?? 0);
      pass(breaker).settle('cost-a-runner');
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('does not start over with the shortest wait for a plug-in that only answers trials', () => {
    const { breaker, wait } = clocked();
    fail(breaker);
    wait(firstBackoffMs);
    pass(breaker).settle('answered');
    fail(breaker);
    expect(breaker.status().retryInMs).toBe(2 * firstBackoffMs);
  });

  it('tries again at once when the trial never reached the plugin', () => {
    const { breaker, wait } = clocked();
    fail(breaker);
    wait(firstBackoffMs);
    pass(breaker).settle('not-sent');
    expect(breaker.status()).toEqual({ state: 'open', failures: 3, retryInMs: 0 });
    expect(pass(breaker).trial).toBe(true);
  });

  it('does not count what was sent before it opened', () => {
    const { breaker } = clocked();
    const early = pass(breaker);
    fail(breaker);
    early.settle('cost-a-runner');
    expect(breaker.status()).toEqual({ state: 'open', failures: 3, retryInMs: firstBackoffMs });
  });

  it('never lets two trials through, never waits longer than a minute, and never stays shut', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('enter' as const) }),
      fc.record({
        do: fc.constant('settle' as const),
        at: fc.nat(9),
        result: fc.constantFrom<PassResult>('answered', 'cost-a-runner', 'not-sent'),
      }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(2 * longestBackoffMs) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { breaker, wait } = clocked();
        const passes: Pass[] = [];
        for (const one of steps) {
          if (one.do === 'wait') wait(one.ms);
          if (one.do === 'settle') passes.splice(one.at % Math.max(1, passes.length), 1)[0]?.settle(one.result);
          if (one.do === 'enter') {
            const predicted = breaker.refusal();
            const entered = breaker.enter();
            expect(isPass(entered)).toBe(predicted === null);
            if (isPass(entered)) passes.push(entered);
          }
          expect(passes.filter(({ trial }) => trial).length).toBeLessThanOrEqual(1);
          const { state, retryInMs } = breaker.status();
          expect(retryInMs === null).toBe(state !== 'open');
          expect(retryInMs ?? 0).toBeLessThanOrEqual(longestBackoffMs);
          expect(state === 'half-open').toBe(passes.some(({ trial }) => trial));
        }
        for (const left of passes) left.settle('not-sent');
        wait(longestBackoffMs);
        pass(breaker).settle('answered');
        expect(breaker.status().state).toBe('closed');
      }),
    );
  });
});
