import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { HookvisorError, messageOf } from '../contract/errors.js';
import { ConfigError } from './config/config-error.js';
import { loadConfig } from './config/load.js';
import { portionSize, type LoadError, type LoadMessage } from './config/load-protocol.js';

/** The thread that load-apart.ts starts; its data is the name of the file. */
async function* messages(file: string): AsyncGenerator<LoadMessage> {
  let config;
  try {
    config = await loadConfig(file);
  } catch (error) {
    yield { kind: 'error', error: errorOf(error, file) };
    return;
  }
  const handlers = [...config.handlers.values()];
  const { routes } = config;
  yield { kind: 'config', config: { ...config, handlers: new Map(), routes: [] } };
  for (let at = 0; at < Math.max(handlers.length, routes.length); at += portionSize) {
    const end = at + portionSize;
    yield { kind: 'portion', handlers: handlers.slice(at, end), routes: routes.slice(at, end) };
  }
  yield { kind: 'portion', handlers: [], routes: [] };
}

function errorOf(error: unknown, file: string): LoadError {
  if (error instanceof ConfigError) {
    const { code, message, problems, count } = error;
    return { is: 'config', code, message, problems, count };
  }
  if (error instanceof HookvisorError) {
    const { code, message, fields } = error;
    return { is: 'other', code, message, fields };
  }
  const message = `Cannot read the configuration '${file}': ${messageOf(error)}; make it simpler`;
  return { is: 'config', code: 'config-unreadable', message, problems: [], count: 0 };
}

// Lowers the priority of this thread: threads that answer events come first.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const said = messages(String(workerData));
parentPort?.on('message', () => {
  void said.next().then(({ value }) => {
    parentPort?.postMessage(value);
  });
});
