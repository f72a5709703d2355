import type { Handler } from '../backends/backend.js';
import type { HandlerConfig } from '../config/config.js';

/** A handler as the chain runs it. */
export interface LoadedHandler {
  readonly config: HandlerConfig;
  readonly handler: Handler;
  /**
   * Decides when this one cannot and its failure policy says so; null when there is none. Set once, when all handlers
   * are loaded, since each may be another's fallback.
   */
  fallback: LoadedHandler | null;
}
