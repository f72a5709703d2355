import { availableParallelism } from 'node:os';
import type { Backend, Handler } from './backend.js';
import type { Config, HandlerConfig } from './config/config.js';
import type { BackendName } from '../contract/backend-name.js';
import { HookvisorError, messageOf } from '../contract/errors.js';
import { forEachLimited } from './for-each-limited.js';
import { type HandlerIdentity, identityOf } from './journal/entry.js';
import { bounds } from '../contract/limits.js';

/** A loaded handler and its identity. */
export interface LoadedByConfig {
  readonly config: HandlerConfig;
  readonly handler: Handler;
  readonly identity: HandlerIdentity;
}

/** `reload` leaves a processor for events that are answered meanwhile. */
export type LoadPace = 'start' | 'reload';

/** Maximum number of handlers that load concurrently: with more, file accesses of events in flight would queue behind. */
const atATime = 16;
/** Maximum number of plug-ins that load concurrently: each can occupy a processor with a starting process or a compiler. */
const pluginsAtATime: Readonly<Record<LoadPace, number>> = {
  start: atATime,
  reload: Math.max(1, Math.floor(availableParallelism() / 2)),
};

/**
 * Loads all handlers of a configuration; `loaded` receives those that succeed. Throws HookvisorError `config-invalid`,
 * which lists those that fail, up to a bound.
 */
export async function loadHandlers(
  config: Config,
  backends: Readonly<Record<BackendName, Backend>>,
  { loaded, pace }: { readonly loaded: Map<string, LoadedByConfig>; readonly pace: LoadPace },
): Promise<void> {
  const causes: unknown[] = [];
  const problems: string[] = [];
  const load = async (one: HandlerConfig): Promise<void> => {
    try {
      const handler = await backends[one.backend].load(one);
      loaded.set(one.name, { config: one, handler, identity: identityOf(handler, one.settings) });
    } catch (error) {
      causes.push(error);
      problems.push(`handlers.${one.name}: ${messageOf(error)}`);
    }
  };
  const all = [...config.handlers.values()];
  const scripts = all.filter(({ backend }) => backend === 'script');
  const plugins = all.filter(({ backend }) => backend !== 'script');
  await Promise.all([forEachLimited(scripts, atATime, load), forEachLimited(plugins, pluginsAtATime[pace], load)]);
  if (problems.length === 0) return;
  const listed = problems.sort().slice(0, bounds.listedProblems);
  const more = problems.length - listed.length;
  if (more > 0) listed.push(`${more} more problems are not listed`);
  throw new HookvisorError('config-invalid', `Cannot use '${config.file}':\n${listed.join('\n')}`, {
    cause: new AggregateError(causes),
    fields: { file: config.file, problems: problems.length },
  });
}
