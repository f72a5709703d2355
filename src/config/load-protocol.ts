import type { Config, HandlerConfig, Route } from './config.js';
import type { ConfigErrorCode, ConfigProblem } from './config-error.js';

/** An error of a configuration as it crosses from one thread to another, which keeps no class. */
export interface LoadError {
  readonly code: ConfigErrorCode;
  readonly message: string;
  readonly problems: readonly ConfigProblem[];
  readonly count: number;
}

/**
 * What the thread that reads a configuration says, one message for each time that it is asked: an error, or the
 * configuration without its handlers and routes, then these in portions until one is empty.
 */
export type LoadMessage =
  | { readonly kind: 'error'; readonly error: LoadError }
  | { readonly kind: 'config'; readonly config: Config }
  | { readonly kind: 'portion'; readonly handlers: readonly HandlerConfig[]; readonly routes: readonly Route[] };

/** Most handlers and most routes of a portion: the thread that receives them answers hooks between two portions. */
export const portionSize = 500;
