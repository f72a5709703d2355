import type { Handler } from '../../src/runtime/backend.js';
import type { HandlerConfig } from '../../src/runtime/config/config.js';
import { defaultHandler } from '../../src/runtime/config/defaults.js';
import type { LoadedHandler } from '../../src/runtime/dispatch/loaded-handler.js';
import type { HookCall, HookEvent } from '../../src/contract/event.js';
import type { Outcome } from '../../src/contract/outcome.js';

/** An event with everything filled in. */
export function eventOf(fields: Partial<HookEvent> = {}): HookEvent {
  return {
    id: '6f1c2a34-0000-4000-8000-000000000001',
    time: 1_700_000_000_000,
    kind: 'domain',
    name: 'tiny',
    event: 'prepare',
    qualifier: 'begin',
    extra: null,
    driver: 'qemu',
    uuid: null,
    ...fields,
  };
}

/** A handler's configuration as a test writes it: settings are data. */
export type HandlerFields = Omit<Partial<HandlerConfig>, 'settings'> & { readonly settings?: object };

/** A handler's configuration with everything filled in. */
export function configOf({ settings = {}, ...fields }: HandlerFields = {}): HandlerConfig {
  return {
    ...defaultHandler,
    name: 'handler',
    backend: 'script',
    source: '/nonexistent',
    settings: JSON.stringify(settings),
    ...fields,
  };
}

/** A loaded handler that decides by a function; what the function throws, it throws. */
export function handlerOf(
  fields: HandlerFields,
  decide: (call: HookCall) => Outcome,
  fallback: LoadedHandler | null = null,
): LoadedHandler {
  const handler: Handler = {
    digest: null,
    evaluate: (call) => Promise.resolve().then(() => ({ outcome: decide(call), fuel: 7, logs: [] })),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { config: configOf(fields), handler, fallback };
}
