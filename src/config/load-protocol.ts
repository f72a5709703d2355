import type { Config, HandlerConfig, Route } from './config.js';
import type { ErrorCode, ErrorFields } from '../errors.js';
import type { ConfigErrorCode, ConfigProblem } from './config-error.js';

/** An error as it crosses from one thread to another, which keeps no class. */
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
 * What the thread that reads a configuration says, one message for each time that it is asked: an error, or the
 * configuration without its handlers and routes, then these in portions until one is empty.
 */
export type LoadMessage =
  | { readonly kind: 'error'; readonly error: LoadError }
  | { readonly kind: 'config'; readonly config: Config }
  | { readonly kind: 'portion'; readonly handlers: readonly HandlerConfig[]; readonly routes: readonly Route[] };

/** Most handlers and most routes of a portion: the thread that receives them answers hooks between two portions. */
export const portionSize = 500;
