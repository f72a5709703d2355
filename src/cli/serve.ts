import { resolve } from 'node:path';
import type { Command } from 'commander';
import { defaultConfigFile } from '../config/defaults.js';
import { configFrom, createRuntime } from '../daemon/runtime.js';
import { startServer } from '../daemon/server.js';
import { createLog } from '../log.js';
import { optimizeSoon } from '../optimize-soon.js';
import { type CommandContext, exitStatus, newCommand } from './command.js';

interface ServeOptions {
  readonly config: string;
  readonly socket?: string;
  readonly journal?: string;
  readonly cache?: string;
}

/** `hookvisor serve`: the runtime, until SIGTERM or SIGINT. */
export function serveCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('serve', 'run the runtime that answers the hooks', [
    'hookvisor serve',
    'hookvisor serve --config ./hookvisor.yaml --socket /tmp/hookvisor.sock',
    'kill -HUP PID   # takes the configuration anew, as hookvisor reload does',
  ])
    .option('-c, --config <file>', 'the configuration', defaultConfigFile)
    .option('--socket <path>', 'listen here instead of where the configuration says')
    .option('--journal <dir>', 'keep the journal here instead of where the configuration says')
    .option('--cache <dir>', 'keep admitted plug-ins here instead of where the configuration says')
    .action(async (options: ServeOptions) => {
      const log = createLog(terminal.err);
      const stop = nextSignal(['SIGTERM', 'SIGINT']);
      const load = configFrom(options.config, {
        ...(options.socket === undefined ? {} : { socket: resolve(options.socket) }),
        ...(options.journal === undefined ? {} : { journalDir: resolve(options.journal) }),
        ...(options.cache === undefined ? {} : { cache: resolve(options.cache) }),
      });
      await using runtime = await createRuntime({ log, load });
      // Not sooner: most of what a start runs never runs again.
      optimizeSoon();
      await using server = await startServer(runtime, log);
      process.on('SIGHUP', () => {
        // The runtime has said already why a configuration is refused.
        runtime.reload().catch(() => undefined);
      });
      const { handlers, journal } = runtime.config;
      log('info', `listening on '${server.socket}' (${handlers.size} handlers, pid ${process.pid})`);
      log('info', journal === null ? 'no journal is kept' : `journal in '${journal.dir}'`);
      const signal = await stop;
      log('info', `${signal}: answering what is under way, then leaving`);
      finish(exitStatus.success);
    });
}

async function nextSignal(signals: readonly NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolveSignal) => {
    for (const signal of signals) process.once(signal, resolveSignal);
  });
}
