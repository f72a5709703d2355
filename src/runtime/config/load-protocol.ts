import type { Config, HandlerConfig, Route } from './config.js';
import type { ErrorCode, ErrorFields } from '../../contract/errors.js';
import type { ConfigErrorCode, ConfigProblem } from './config-error.js';

/** An error sent between threads, which does not preserve its class. */
export type LoadError =
  | {
      readonly is: 'config';
      readonly code: ConfigErrorCode;
      readonly message: string;
      readonly problems: readonly ConfigProblem[];
      readonly count: number;
    }
  | { readonly is: 'other'; readonly code: ErrorCode; readonly message: string; readonly fields: ErrorFields };

/**
 * A message of the thread that reads a configuration, one per request: an error, or the configuration without its
 * handlers and routes, followed by these in portions until one is empty.
 */
export type LoadMessage =
  | { readonly kind: 'error'; readonly error: LoadError }
  | { readonly kind: 'config'; readonly config: Config }
  | { readonly kind: 'portion'; readonly handlers: readonly HandlerConfig[]; readonly routes: readonly Route[] };

/** Maximum handlers and routes per portion: the receiving thread answers hooks between two portions. */
export const portionSize = 500;
