import type { HookCall } from '../contract/event.js';
import type { Evaluation } from '../contract/outcome.js';
import type { HandlerConfig } from './config/config.js';

/** A loaded handler, ready to decide events. Disposing it lets evaluations under way finish, then frees everything. */
export interface Handler extends AsyncDisposable {
  /** sha256 of what was loaded, hex; null for scripts, which may change on disk at any time. */
  readonly digest: string | null;
  /**
   * Decides one event, or throws {@link HandlerFailure}. May be called again before it has answered.
   *
   * @param mostMs cuts its own deadline when that is longer, milliseconds
   */
  evaluate(call: HookCall, mostMs?: number): Promise<Evaluation>;
}

/** How one kind of handler is loaded. Throws HookvisorError when it cannot be. */
export interface Backend extends AsyncDisposable {
  load(config: HandlerConfig): Promise<Handler>;
}
