import { resolve } from 'node:path';
import type { Command } from 'commander';
import { defaultConfigFile } from '../../runtime/config/defaults.js';
import { configFrom, createRuntime } from '../../runtime/runtime.js';
import { startServer } from '../../runtime/listener/server.js';
import { createLog } from '../../runtime/log.js';
import { optimizeSoon } from '../../shared/optimize-soon.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';

interface ServeOptions {
  readonly config: string;
  readonly socket?: string;
  readonly journal?: string;
  readonly cache?: string;
}

/** Implements `hookvisor serve`: runs the runtime until SIGTERM or SIGINT. */
export function serveCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('serve', 'run the runtime that answers the hooks', [
    'hookvisor serve',
    'hookvisor serve --config ./hookvisor.yaml --socket /tmp/hookvisor.sock',
    'kill -HUP PID   # reloads the configuration, like hookvisor reload',
  ])
    .option('-c, --config <file>', 'the configuration file', defaultConfigFile)
    .option('--socket <path>', 'listen on this socket instead of the configured one')
    .option('--journal <dir>', 'keep the journal in this folder instead of the configured one')
    .option('--cache <dir>', 'keep admitted plug-ins in this folder instead of the configured one')
    .action(async (options: ServeOptions) => {
      const log = createLog(terminal.err);
      const stop = nextSignal(['SIGTERM', 'SIGINT']);
      const load = configFrom(options.config, {
        ...(options.socket === undefined ? {} : { socket: resolve(options.socket) }),
        ...(options.journal === undefined ? {} : { journalDir: resolve(options.journal) }),
        ...(options.cache === undefined ? {} : { cache: resolve(options.cache) }),
      });
      await using runtime = await createRuntime({ log, load });
      // Only now: most code of the start-up never runs again.
      optimizeSoon();
      await using server = await startServer(runtime, log);
      process.on('SIGHUP', () => {
        // The runtime has already logged why a configuration was rejected.
        runtime.reload().catch(() => undefined);
      });
      const { handlers, journal } = runtime.config;
      log('info', `listening on '${server.socket}' (${handlers.size} handlers, pid ${process.pid})`);
      log('info', journal === null ? 'the journal is disabled' : `journal in '${journal.dir}'`);
      const signal = await stop;
      log('info', `${signal}: finishing events in flight, then exiting`);
      finish(exitStatus.success);
    });
}

async function nextSignal(signals: readonly NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolveSignal) => {
    for (const signal of signals) process.once(signal, resolveSignal);
  });
}
