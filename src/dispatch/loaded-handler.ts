import type { Handler } from '../backends/backend.js';
import type { HandlerConfig } from '../config/config.js';

/** A handler in a chain. */
export interface LoadedHandler {
  readonly config: HandlerConfig;
  readonly handler: Handler;
  /** The fallback of its failure policy; null when there is none. */
  readonly fallback: LoadedHandler | null;
}

/**
 * Links each handler to the fallback of its failure policy. A missing or cyclic fallback is left out: the failure then
 * denies.
 */
export function linkHandlers(
  handlers: ReadonlyMap<string, { readonly config: HandlerConfig; readonly handler: Handler }>,
): ReadonlyMap<string, LoadedHandler> {
  const link = (name: string, before: readonly string[]): LoadedHandler | null => {
    const found = handlers.get(name);
    if (found === undefined || before.includes(name)) return null;
    const policy = found.config.failurePolicy;
    const fallback = policy.policy === 'fallback' ? link(policy.handler, [...before, name]) : null;
    return { config: found.config, handler: found.handler, fallback };
  };
  const linked = new Map<string, LoadedHandler>();
  for (const name of handlers.keys()) {
    const handler = link(name, []);
    if (handler !== null) linked.set(name, handler);
  }
  return linked;
}
