import type { Command } from 'commander';
import type { CommandContext } from './command.js';

type MakeCommand = (context: CommandContext) => Command;

/**
 * Every command by name, in the order of the help. Each is loaded on demand: the authoring tools are many modules, and
 * `serve` must start fast.
 */
const loaders: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  serve: async () => (await import('./service/serve.js')).serveCommand,
  emit: async () => (await import('./service/emit.js')).emitCommand,
  install: async () => (await import('./install/install.js')).installCommand,
  uninstall: async () => (await import('./install/uninstall.js')).uninstallCommand,
  doctor: async () => (await import('./install/doctor.js')).doctorCommand,
  check: async () => (await import('./service/check.js')).checkCommand,
  reload: async () => (await import('./service/reload.js')).reloadCommand,
  status: async () => (await import('./service/status.js')).statusCommand,
  journal: async () => (await import('./journal/journal.js')).journalCommand,
  replay: async () => (await import('./replay/replay.js')).replayCommand,
  promote: async () => (await import('./replay/promote.js')).promoteCommand,
  new: async () => (await import('./build/new.js')).newProjectCommand,
  build: async () => (await import('./build/command.js')).buildCommand,
  test: async () => (await import('./test/test.js')).testCommand,
  vet: async () => (await import('./vet/vet.js')).vetCommand,
  bench: async () => (await import('./replay/bench.js')).benchCommand,
  'check-lifecycle': async () => (await import('./check-lifecycle/command.js')).checkLifecycleCommand,
  demo: async () => (await import('./demo/demo.js')).demoCommand,
};

/** Returns the command called `name`; all commands when there is none, for help, suggestions and completion. */
export async function loadCommands(name: string | undefined): Promise<readonly MakeCommand[]> {
  const named = name !== undefined && Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  return Promise.all(named === undefined ? Object.values(loaders).map((load) => load()) : [named()]);
}
