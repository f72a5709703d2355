import { HookvisorError } from './errors.js';

/** The decision of a handler. Data, never an error. */
export type Outcome =
  | { readonly outcome: 'allow' }
  | { readonly outcome: 'deny'; readonly reason: string }
  | { readonly outcome: 'replace'; readonly document: Buffer };

/** The reason why a handler could not decide. A failure is not a denial. */
export const failureCodes = [
  /** The plug-in executed `unreachable`, accessed memory out of bounds, overflowed the stack or threw an exception. */
  'trap',
  'out-of-fuel',
  'out-of-memory',
  'deadline',
  /** The answer does not match the contract. */
  'protocol',
  /** The handler could not be run: it is missing or not executable, its runner is gone, or its breaker is open. */
  'unavailable',
  /** A script was terminated by a signal that Hookvisor did not send, or a runner died during the event. */
  'crashed',
  /**
   * The handler lacks a required grant, or it replaced the document of an operation for which libvirt does not read one
   * back.
   */
  'not-granted',
  /** The replacement is not plain XML (see whyNotPlain), or has a different name or UUID. */
  'bad-replacement',
  /** The document cannot be passed to a plug-in: it is too large, or not plain XML in UTF-8. */
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
  /** Steps executed; null if they are not counted (scripts). */
  readonly fuel: number | null;
  readonly logs: readonly LogLine[];
}

/** Thrown by a backend if the handler could not decide. The handler's failure policy turns it into a verdict. */
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
