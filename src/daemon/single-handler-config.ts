import type { Config, HandlerConfig, Route } from '../config/config.js';
import { HookvisorError } from '../errors.js';
import type { HandlerIdentity } from '../journal/entry.js';

/** A plug-in that is to take the place of the one in force. */
export interface Promotion {
  readonly handler: string;
  /** sha256 of the plug-in in force that it was judged against. */
  readonly from: string;
  /** sha256 of the new one. */
  readonly to: string;
}

/** The configuration in force and what its handlers' names stand for. */
export interface InForce {
  readonly config: Config;
  readonly identities: ReadonlyMap<string, HandlerIdentity>;
}

/**
 * The configuration in force with one plug-in swapped. `written` is what the files say by now: it must differ in that
 * plug-in only as far as this handler goes. All other plug-ins are pinned to what is in force, so that nothing else that
 * has changed on the disk comes in with it. Throws HookvisorError `usage`.
 */
export function withPlugin(inForce: InForce, written: Config, promotion: Promotion): Config {
  const { handler: name, to } = promotion;
  const current = handlerInForce(inForce, promotion);
  const next = written.handlers.get(name);
  if (next === undefined || settingsOf(next) !== settingsOf(current)) {
    throw refused(name, `its configuration has changed as well; 'hookvisor reload' takes both`);
  }
  const handlers = pinned(inForce).set(name, { ...current, source: next.source, sha256: to });
  return { ...inForce.config, handlers };
}

/** Name of the handler that runs beside another one. It is in the journal, and in no configuration. */
export function shadowName(handler: string): string {
  return `${handler}.next`;
}

/**
 * The configuration in force with a new plug-in, from `file`, in monitor before the handler that it is to follow, so that
 * it sees what that one sees. Throws HookvisorError `usage`.
 */
export function withShadow(inForce: InForce, promotion: Promotion, file: string): Config {
  const current = handlerInForce(inForce, promotion);
  const name = shadowName(promotion.handler);
  const { routes, handlers } = inForce.config;
  if (handlers.has(name)) throw refused(promotion.handler, `a handler '${name}' is configured; rename that one`);
  if (!routes.some((route) => route.handlers.includes(promotion.handler))) {
    throw refused(promotion.handler, 'no route leads to it, so a trial would see nothing; promote it without one');
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
  if (digest === null) throw refused(name, 'it is a script; replace its file, which takes effect at once');
  if (digest !== from) {
    throw refused(name, `another plug-in (sha256 ${digest}) is in force than the one it was compared with; try again`);
  }
  return current;
}

function pinned({ config, identities }: InForce): Map<string, HandlerConfig> {
  return new Map(
    [...config.handlers].map(([name, one]) => [name, { ...one, sha256: identities.get(name)?.digest ?? one.sha256 }]),
  );
}

/** Everything about a handler but which plug-in it is. */
function settingsOf(config: HandlerConfig): string {
  return JSON.stringify({ ...config, source: null, sha256: null, grants: [...config.grants].sort() });
}

function refused(handler: string, why: string): HookvisorError {
  return new HookvisorError('usage', `Cannot promote a plug-in of handler '${handler}': ${why}`, {
    fields: { handler },
  });
}
