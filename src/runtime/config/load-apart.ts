import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { codeOf } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { bounds } from '../../contract/limits.js';
import { packageRoot } from '../../shared/paths.js';
import type { Config, HandlerConfig, Route } from './config.js';
import { ConfigError } from './config-error.js';
import type { LoadMessage } from './load-protocol.js';

const program = join(packageRoot, 'dist', 'runtime', 'config-main.js');

/**
 * Loads a configuration like loadConfig, but in a separate thread, so that this one keeps answering whatever the file
 * contains. Throws {@link ConfigError}, also when the thread needs more time or memory than `bounds` allows, and
 * HookvisorError `untrusted`.
 */
export async function loadConfigApart(file: string): Promise<Config> {
  const worker = new Worker(program, {
    workerData: file,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: bounds.configHeapMiB, stackSizeMb: 4 },
  });
  // An error between two messages is noticed at the next one.
  worker.on('error', () => undefined);
  const signal = AbortSignal.timeout(bounds.configReadMs);
  const next = async (): Promise<LoadMessage> => {
    worker.postMessage(null);
    const [message] = (await once(worker, 'message', { signal }).catch((error: unknown) => {
      throw unread(file, error);
    })) as [LoadMessage];
    return message;
  };
  try {
    return await receive(file, next);
  } finally {
    await worker.terminate();
  }
}

async function receive(file: string, next: () => Promise<LoadMessage>): Promise<Config> {
  const first = await next();
  if (first.kind === 'error') {
    const { error } = first;
    if (error.is === 'other') throw new HookvisorError(error.code, error.message, { fields: error.fields });
    const { code, message, problems, count } = error;
    throw new ConfigError(code, message, { file: resolve(file), problems, count });
  }
  const handlers = new Map<string, HandlerConfig>();
  const routes: Route[] = [];
  for (let message = await next(); message.kind === 'portion'; message = await next()) {
    if (message.handlers.length + message.routes.length === 0) break;
    for (const handler of message.handlers) handlers.set(handler.name, handler);
    routes.push(...message.routes);
  }
  if (first.kind !== 'config') throw unread(file, new Error('it was not there'));
  return { ...first.config, handlers, routes };
}

function unread(file: string, cause: unknown): ConfigError {
  const code = codeOf(cause);
  const what =
    code === 'ABORT_ERR'
      ? `reading it takes longer than ${bounds.configReadMs / 1_000} s`
      : code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? `reading it takes more than ${bounds.configHeapMiB} MiB of memory`
        : messageOf(cause);
  return new ConfigError('config-unreadable', `Cannot read the configuration '${file}': ${what}; make it simpler`, {
    file,
    cause,
  });
}
