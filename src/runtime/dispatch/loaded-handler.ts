import type { Handler } from '../backend.js';
import type { HandlerConfig } from '../config/config.js';
import { bounds } from '../../contract/limits.js';
import { atOnce, inSlices, type Work } from '../slices.js';

/** A handler in a chain. */
export interface LoadedHandler {
  readonly config: HandlerConfig;
  readonly handler: Handler;
  /** The fallback of its failure policy; null when there is none. */
  readonly fallback: LoadedHandler | null;
}

type Loaded = ReadonlyMap<string, { readonly config: HandlerConfig; readonly handler: Handler }>;

/**
 * Links each handler to the fallback of its failure policy. A fallback that is missing, cyclic, or at the end of too
 * long a chain is left out: the failure then denies.
 */
export function linkHandlers(handlers: Loaded): ReadonlyMap<string, LoadedHandler> {
  return atOnce(linking(handlers));
}

/** Does the same as {@link linkHandlers}, but lets events be answered in between. */
export async function linkHandlersInSlices(handlers: Loaded): Promise<ReadonlyMap<string, LoadedHandler>> {
  return inSlices(linking(handlers));
}

function* linking(handlers: Loaded): Work<ReadonlyMap<string, LoadedHandler>> {
  const link = (name: string, before: readonly string[]): LoadedHandler | null => {
    const found = handlers.get(name);
    if (found === undefined || before.includes(name) || before.length > bounds.fallbackChain) return null;
    const policy = found.config.failurePolicy;
    const fallback = policy.policy === 'fallback' ? link(policy.handler, [...before, name]) : null;
    return { config: found.config, handler: found.handler, fallback };
  };
  const linked = new Map<string, LoadedHandler>();
  for (const name of handlers.keys()) {
    yield;
    const handler = link(name, []);
    if (handler !== null) linked.set(name, handler);
  }
  return linked;
}
