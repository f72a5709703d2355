import type { Verdict } from '../contract/verdict.js';
import { type Promotion, shadowName } from './single-handler-config.js';
import type { RuntimeStatus } from '../contract/status.js';

/** The state of a trial. */
export type TrialStatus = NonNullable<RuntimeStatus['trial']>;
type TrialExample = TrialStatus['examples'][number];

/** A plug-in in monitor mode alongside the active one. */
export interface Trial {
  /** Compares the answers of both plug-ins to an event. */
  observe(verdict: Verdict): void;
  status(state: TrialStatus['state']): TrialStatus;
}

const mostExamples = 20;

export function createTrial(promotion: Promotion, durationMs: number): Trial {
  const began = Date.now();
  const counts = { compared: 0, flips: 0, newFailures: 0 };
  const examples: TrialExample[] = [];
  return {
    observe({ handlers, event }) {
      const old = handlers.find(({ handler }) => handler === promotion.handler);
      const next = handlers.find(({ handler }) => handler === shadowName(promotion.handler));
      if (old === undefined || next === undefined) return;
      counts.compared += 1;
      const isNewFailure = next.failure !== null && old.failure === null;
      const isFlip = !isNewFailure && next.outcome !== old.outcome;
      if (isNewFailure) counts.newFailures += 1;
      if (isFlip) counts.flips += 1;
      if ((isFlip || isNewFailure) && examples.length < mostExamples) {
        examples.push({ event, before: saidText(old), after: saidText(next) });
      }
    },
    status: (state) => ({ ...promotion, state, began, until: began + durationMs, ...counts, examples: [...examples] }),
  };
}

function saidText({ outcome, failure, reason }: Verdict['handlers'][number]): string {
  return `${outcome ?? `failed (${failure ?? ''})`}${reason === null ? '' : `: ${reason}`}`;
}
