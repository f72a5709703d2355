import { onTestFinished } from 'vitest';
import { mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configFrom, createRuntime, type Runtime } from '../../src/runtime/runtime.js';
import { type EventRecord, journalLineSchema } from '../../src/runtime/journal/record.js';
import { startServer } from '../../src/runtime/listener/server.js';
import { packageRoot } from '../../src/shared/paths.js';
import { temporaryFolder, write } from './temp.js';

export { samplePlugin } from './sample-plugin.js';

export interface TestRuntime {
  readonly dir: string;
  readonly socket: string;
  readonly journalFile: string;
  /** The records of the events so far. */
  readonly journaled: () => EventRecord[];
  readonly configFile: string;
  readonly runtime: Runtime;
  /** What the runtime said, a line each. */
  readonly said: string[];
}

/** Admitted plugins are shared between tests: admitting one costs seconds. */
const cache =
  process.getuid?.() === 0
    ? join(packageRoot, 'node_modules', '.cache', 'hookvisor-test')
    : join(tmpdir(), `hookvisor-test-cache-${process.getuid?.() ?? 'user'}`);
// The runtime makes no folder where somebody else could have been first.
mkdirSync(cache, { recursive: true, mode: 0o700 });

/** A runtime with a socket in a folder of its own. `yaml` is the configuration without version, journal and cache. */
export async function serve(yaml: string, dir = temporaryFolder(), socket = 'hv.sock'): Promise<TestRuntime> {
  const configFile = await writeConfig(dir, yaml, socket);
  const said: string[] = [];
  const log = (level: string, message: string): void => {
    said.push(`${level}: ${message}`);
  };
  const runtime = await createRuntime({ log, load: configFrom(configFile) });
  onTestFinished(async () => {
    await runtime[Symbol.asyncDispose]();
  });
  const server = await startServer(runtime, log);
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]();
  });
  const journalFile = join(dir, 'journal', '00000001.jsonl');
  const journaled = (): EventRecord[] => recordsIn(journalFile);
  return { dir, socket: server.socket, journalFile, journaled, configFile, runtime, said };
}

function recordsIn(file: string): EventRecord[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines
    .map((line) => journalLineSchema.parse(JSON.parse(line)))
    .filter((record): record is EventRecord => record.type === 'event');
}

/** Writes (or replaces) the configuration of a folder. */
export async function writeConfig(dir: string, yaml: string, socket = 'hv.sock'): Promise<string> {
  return write(
    dir,
    'hookvisor.yaml',
    `version: 1\nsocket: ${socket}\njournal: { dir: journal }\ncache: ${cache}\nsandbox: { require: process }\n${yaml}`,
  );
}
