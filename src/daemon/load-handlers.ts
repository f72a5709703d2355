import type { Backend, Handler } from '../backends/backend.js';
import type { BackendName, Config, HandlerConfig } from '../config/config.js';
import { HookvisorError, messageOf } from '../errors.js';
import { type HandlerIdentity, identityOf } from '../journal/entry.js';
import { bounds } from '../limits.js';

/** A handler that is loaded, with what its name stands for. */
export interface LoadedByConfig {
  readonly config: HandlerConfig;
  readonly handler: Handler;
  readonly identity: HandlerIdentity;
}

/** Handlers that are loaded at the same time. With all at once, the files of events in flight would queue behind theirs. */
const atATime = 16;

/**
 * Loads all handlers of a configuration; `loaded` receives those that succeed. Throws HookvisorError `config-invalid`,
 * which names those that do not, as far as `bounds` allows.
 */
export async function loadHandlers(
  config: Config,
  backends: Readonly<Record<BackendName, Backend>>,
  loaded: Map<string, LoadedByConfig>,
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
  const left = config.handlers.values();
  // They share one iterator: each takes the next handler when it has loaded one.
  const worker = async (): Promise<void> => {
    for (const one of left) await load(one);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  if (problems.length === 0) return;
  const listed = problems.sort().slice(0, bounds.listedProblems);
  const more = problems.length - listed.length;
  if (more > 0) listed.push(`there are more problems, ${more} of them are not listed`);
  throw new HookvisorError('config-invalid', `Cannot use '${config.file}':\n${listed.join('\n')}`, {
    cause: new AggregateError(causes),
    fields: { file: config.file, problems: problems.length },
  });
}
