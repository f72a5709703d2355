import type { Config } from '../config/config.js';
import { HookvisorError, messageOf } from '../errors.js';
import type { Verdict } from '../dispatch/verdict.js';
import type { Log } from '../log.js';
import { type InForce, type Promotion, withPlugin, withShadow } from './single-handler-config.js';
import { createTrial, type Trial, type TrialStatus } from './trial.js';

/** A plug-in that is to run in monitor for a while. */
export interface TrialRequest extends Promotion {
  /** Absolute path of the new plug-in. */
  readonly file: string;
  readonly durationMs: number;
}

/** How single plug-ins take the place of others in a running runtime. */
export interface Promotions {
  /** Swaps in the plug-in that the configuration on the disk now names. All or nothing; ends a trial. */
  promote(promotion: Promotion): Promise<void>;
  begin(trial: TrialRequest): Promise<TrialStatus>;
  /** Ends a trial before its time. Throws HookvisorError `usage` when none is running. */
  cancel(): Promise<void>;
  /** The trial that is running, or the last one; null when there was none. */
  trial(): TrialStatus | null;
  readonly observe: (verdict: Verdict) => void;
  /** A reload has put another configuration in force, which ends a trial. */
  readonly reloaded: () => void;
  readonly stop: () => void;
}

export interface PromotionsOptions {
  readonly inForce: () => InForce;
  /** Reads the configuration on the disk. */
  readonly written: () => Promise<Config>;
  /** Loads a configuration and puts it in force, or throws and keeps the one that is. */
  readonly put: (config: Config) => Promise<void>;
  /** Runs one change of what is in force after the other. */
  readonly inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly log: Log;
}

interface Running {
  readonly trial: Trial;
  /** What was in force before, and is again afterwards. */
  readonly base: Config;
  readonly timer: NodeJS.Timeout;
}

export function createPromotions({ inForce, written, put, inTurn, log }: PromotionsOptions): Promotions {
  let running: Running | null = null;
  let last: TrialStatus | null = null;

  /** Without the shadow, if there is one. */
  const base = (): InForce => ({ ...inForce(), config: running?.base ?? inForce().config });

  const over = (state: TrialStatus['state']): void => {
    if (running === null) return;
    clearTimeout(running.timer);
    last = running.trial.status(state);
    running = null;
    const { handler, compared, flips, newFailures } = last;
    log(
      'info',
      `trial of '${handler}' is over (${state}): ${compared} events, ${flips} flips, ${newFailures} failures`,
    );
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
        log('info', `handler '${promotion.handler}' now is the plug-in with sha256 ${promotion.to}`);
      }),
    begin: ({ file, durationMs, ...promotion }) =>
      inTurn(async () => {
        if (running !== null) {
          const { handler } = running.trial.status('running');
          throw new HookvisorError('usage', `Cannot begin a trial: one of '${handler}' is running; cancel that first`);
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
        log('info', `trial of '${promotion.handler}' with the plug-in of sha256 ${promotion.to} began`);
        return trial.status('running');
      }),
    async cancel() {
      if (running === null) throw new HookvisorError('usage', 'Cannot cancel a trial: none is running');
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
