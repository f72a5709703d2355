import type { HookCall } from '../contract/event.js';
import type { Evaluation } from '../contract/outcome.js';
import type { HandlerConfig } from './config/config.js';

/** A loaded handler, ready to decide events. Disposal finishes evaluations in flight, then frees all resources. */
export interface Handler extends AsyncDisposable {
  /** sha256 of the loaded file, hex; null for scripts, which can change on disk at any time. */
  readonly digest: string | null;
  /**
   * Decides one event, or throws {@link HandlerFailure}. Calls may overlap.
   *
   * @param mostMs upper bound of its deadline, milliseconds
   */
  evaluate(call: HookCall, mostMs?: number): Promise<Evaluation>;
}

/** Loads one kind of handler. Throws HookvisorError if a handler cannot be loaded. */
export interface Backend extends AsyncDisposable {
  load(config: HandlerConfig): Promise<Handler>;
}
