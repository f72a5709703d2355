import type { Config, HandlerConfig, Route } from './config/config.js';
import { HookvisorError } from '../contract/errors.js';
import type { HandlerIdentity } from './journal/entry.js';

/** The replacement of the active plug-in of a handler. */
export interface Promotion {
  readonly handler: string;
  /** sha256 of the active plug-in that the new one was compared with. */
  readonly from: string;
  /** sha256 of the new plug-in. */
  readonly to: string;
}

/** The active configuration and the identities of its handlers. */
export interface InForce {
  readonly config: Config;
  readonly identities: ReadonlyMap<string, HandlerIdentity>;
}

/**
 * Returns the active configuration with one plug-in replaced. `written` is the configuration on disk: for this handler,
 * it may differ only in the plug-in. All other plug-ins are pinned to the active ones, so that no other change on disk
 * takes effect. Throws HookvisorError `usage`.
 */
export function withPlugin(inForce: InForce, written: Config, promotion: Promotion): Config {
  const { handler: name, to } = promotion;
  const current = handlerInForce(inForce, promotion);
  const next = written.handlers.get(name);
  if (next === undefined || settingsOf(next) !== settingsOf(current)) {
    throw refused(name, `its configuration has also changed; 'hookvisor reload' applies both changes`);
  }
  const handlers = pinned(inForce).set(name, { ...current, source: next.source, sha256: to });
  return { ...inForce.config, handlers };
}

/** Returns the name of the trial handler of a handler. It appears in the journal but in no configuration. */
export function shadowName(handler: string): string {
  return `${handler}.next`;
}

/**
 * Returns the active configuration with the plug-in in `file` in monitor mode before the handler that it may replace,
 * so that both receive the same document. Throws HookvisorError `usage`.
 */
export function withShadow(inForce: InForce, promotion: Promotion, file: string): Config {
  const current = handlerInForce(inForce, promotion);
  const name = shadowName(promotion.handler);
  const { routes, handlers } = inForce.config;
  if (handlers.has(name)) throw refused(promotion.handler, `a handler '${name}' is already configured; rename it`);
  if (!routes.some((route) => route.handlers.includes(promotion.handler))) {
    throw refused(
      promotion.handler,
      'no route leads to it, so a trial would receive no events; promote without a trial',
    );
  }
  const shadow: HandlerConfig = {
    ...current,
    name,
    source: file,
    sha256: promotion.to,
    mode: 'monitor',
    failurePolicy: { policy: 'ignore' },
  };
  const before = (route: Route): Route => ({
    ...route,
    handlers: route.handlers.flatMap((one) => (one === promotion.handler ? [name, one] : [one])),
  });
  return { ...inForce.config, handlers: pinned(inForce).set(name, shadow), routes: routes.map(before) };
}

function handlerInForce({ config, identities }: InForce, { handler: name, from }: Promotion): HandlerConfig {
  const current = config.handlers.get(name);
  const digest = identities.get(name)?.digest ?? null;
  if (current === undefined) throw refused(name, 'the runtime has no such handler');
  if (digest === null) throw refused(name, 'it is a script; replace the file, which takes effect at once');
  if (digest !== from) {
    throw refused(name, `the active plug-in (sha256 ${digest}) is not the one that was compared; try again`);
  }
  return current;
}

function pinned({ config, identities }: InForce): Map<string, HandlerConfig> {
  return new Map(
    [...config.handlers].map(([name, one]) => [name, { ...one, sha256: identities.get(name)?.digest ?? one.sha256 }]),
  );
}

/** Serializes everything about a handler except its plug-in. */
function settingsOf(config: HandlerConfig): string {
  return JSON.stringify({ ...config, source: null, sha256: null, grants: [...config.grants].sort() });
}

function refused(handler: string, why: string): HookvisorError {
  return new HookvisorError('usage', `Cannot promote a plug-in for handler '${handler}': ${why}`, {
    fields: { handler },
  });
}
