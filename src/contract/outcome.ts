import { HookvisorError } from './errors.js';

/** What a handler decided. Data, never an error. */
export type Outcome =
  | { readonly outcome: 'allow' }
  | { readonly outcome: 'deny'; readonly reason: string }
  | { readonly outcome: 'replace'; readonly document: Buffer };

/** Why a handler could not decide. Never to be confused with a denial. */
export const failureCodes = [
  /** The plugin ran into `unreachable`, an access out of bounds, a stack overflow, or threw. */
  'trap',
  'out-of-fuel',
  'out-of-memory',
  'deadline',
  /** The answer is not an outcome of the contract. */
  'protocol',
  /** The handler could not be run: missing, not executable, its runner is gone, its breaker is open. */
  'unavailable',
  /** A script was ended by a signal that Hookvisor did not send, or a runner died under the event. */
  'crashed',
  /** The handler needs a grant that it does not hold, or replaced where libvirt takes no document. */
  'not-granted',
  /** A replaced document that is not plain XML (see whyNotPlain), or has another name or UUID. */
  'bad-replacement',
  /** The document cannot be handed to a plugin: too large, or not plain XML in UTF-8. */
  'document',
] as const;
export type FailureCode = (typeof failureCodes)[number];

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
}

/** One handler's answer to one event. */
export interface Evaluation {
  readonly outcome: Outcome;
  /** Steps executed; null where they are not counted (scripts). */
  readonly fuel: number | null;
  readonly logs: readonly LogLine[];
}

/** Thrown by a backend when the handler could not decide; becomes a verdict by the handler's failure policy. */
export class HandlerFailure extends HookvisorError {
  override readonly name = 'HandlerFailure';
  readonly failure: FailureCode;
  readonly fuel: number | null;
  readonly logs: readonly LogLine[];

  constructor(
    failure: FailureCode,
    message: string,
    spent: { cause?: unknown; fuel?: number | null; logs?: readonly LogLine[] } = {},
  ) {
    super('handler-failed', message, { ...('cause' in spent ? { cause: spent.cause } : {}), fields: { failure } });
    this.failure = failure;
    this.fuel = spent.fuel ?? null;
    this.logs = spent.logs ?? [];
  }
}
