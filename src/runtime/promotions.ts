import type { Config } from './config/config.js';
import { HookvisorError, messageOf } from '../contract/errors.js';
import type { Verdict } from '../contract/verdict.js';
import type { Log } from './log.js';
import { type InForce, type Promotion, withPlugin, withShadow } from './single-handler-config.js';
import { createTrial, type Trial, type TrialStatus } from './trial.js';

/** A trial: a plug-in that runs in monitor mode for some time. */
export interface TrialRequest extends Promotion {
  /** Absolute path of the new plug-in. */
  readonly file: string;
  readonly durationMs: number;
}

/** Replaces single plug-ins of a running runtime. */
export interface Promotions {
  /** Activates the plug-in that the configuration on disk now names, or nothing; ends a trial. */
  promote(promotion: Promotion): Promise<void>;
  begin(trial: TrialRequest): Promise<TrialStatus>;
  /** Ends a trial early. Throws HookvisorError `usage` when none is running. */
  cancel(): Promise<void>;
  /** Returns the running or the last trial; null when there was none. */
  trial(): TrialStatus | null;
  readonly observe: (verdict: Verdict) => void;
  /** Ends the trial after a reload has activated another configuration. */
  readonly reloaded: () => void;
  readonly stop: () => void;
}

export interface PromotionsOptions {
  readonly inForce: () => InForce;
  /** Reads the configuration on disk. */
  readonly written: () => Promise<Config>;
  /** Loads and activates a configuration, or throws and keeps the active one. */
  readonly put: (config: Config) => Promise<void>;
  /** Serializes changes of the active configuration. */
  readonly inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly log: Log;
}

interface Running {
  readonly trial: Trial;
  /** The configuration that was active before the trial and becomes active again. */
  readonly base: Config;
  readonly timer: NodeJS.Timeout;
}

export function createPromotions({ inForce, written, put, inTurn, log }: PromotionsOptions): Promotions {
  let running: Running | null = null;
  let last: TrialStatus | null = null;

  /** Removes the trial handler, if there is one. */
  const base = (): InForce => ({ ...inForce(), config: running?.base ?? inForce().config });

  const over = (state: TrialStatus['state']): void => {
    if (running === null) return;
    clearTimeout(running.timer);
    last = running.trial.status(state);
    running = null;
    const { handler, compared, flips, newFailures } = last;
    log('info', `trial of '${handler}' ended (${state}): ${compared} events, ${flips} flips, ${newFailures} failures`);
  };

  const end = (state: 'done' | 'cancelled'): Promise<void> =>
    inTurn(async () => {
      if (running === null) return;
      await put(running.base);
      over(state);
    });

  return {
    promote: (promotion) =>
      inTurn(async () => {
        await put(withPlugin(base(), await written(), promotion));
        over('cancelled');
        log('info', `handler '${promotion.handler}' now runs the plug-in with sha256 ${promotion.to}`);
      }),
    begin: ({ file, durationMs, ...promotion }) =>
      inTurn(async () => {
        if (running !== null) {
          const { handler } = running.trial.status('running');
          throw new HookvisorError('usage', `Cannot start a trial: one of '${handler}' is running; cancel it first`);
        }
        const before = inForce().config;
        await put(withShadow(inForce(), promotion, file));
        const timer = setTimeout(() => {
          end('done').catch((error: unknown) => {
            log('error', `Cannot end a trial: ${messageOf(error)}`);
          });
        }, durationMs).unref();
        const trial = createTrial(promotion, durationMs);
        running = { trial, base: before, timer };
        log('info', `trial of '${promotion.handler}' with the plug-in of sha256 ${promotion.to} started`);
        return trial.status('running');
      }),
    async cancel() {
      if (running === null) throw new HookvisorError('usage', 'Cannot cancel the trial: none is running');
      await end('cancelled');
    },
    trial: () => running?.trial.status('running') ?? last,
    observe: (verdict) => {
      running?.trial.observe(verdict);
    },
    reloaded: () => {
      over('reloaded');
    },
    stop: () => {
      if (running !== null) clearTimeout(running.timer);
    },
  };
}
