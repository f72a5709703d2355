import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { HandlerConfig } from '../../src/runtime/config/config.js';
import { configOf, eventOf, type HandlerFields } from './handlers.js';
import { samplePlugin } from './sample-plugin.js';
import type { HookCall } from '../../src/contract/event.js';
import { HookvisorError } from '../../src/contract/errors.js';
import { packageRoot } from '../../src/shared/paths.js';
import { createSandbox } from '../../src/runtime/sandbox.js';
import type { Sandbox } from '../../src/runtime/sandbox.js';

const limits: HandlerConfig['limits'] = { deadlineMs: 5_000, fuel: 50_000_000, memoryBytes: 64 * 1024 * 1024 };

export { samplePlugin };

export function handlerConfig(fields: HandlerFields = {}): HandlerConfig {
  const source = samplePlugin('tiny-allow');
  return configOf({ name: 'plugin', backend: 'component', source, limits, ...fields });
}

/** Settings of a handler that never answers and has fuel for years. */
export const endless = (source: string, deadlineMs: number): HandlerFields => ({
  name: 'endless',
  source,
  limits: { ...limits, deadlineMs, fuel: Number.MAX_SAFE_INTEGER },
});

export function hookCall(name = 'vm', document: Buffer | null = null): HookCall {
  return { event: eventOf({ id: `id-${name}`, time: 0, name }), document };
}

/** A folder of the test's own, removed afterwards. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'hookvisor-sandbox-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface Opened extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly folder: string;
  readonly cache: string;
  readonly logged: string[];
  /** Writes a plugin assembled from a fixture. */
  fixture(name: string): Promise<string>;
}

/** A sandbox with a cache of its own. */
export async function openSandbox(): Promise<Opened> {
  const folder = await temporaryFolder();
  const logged: string[] = [];
  const cache = join(folder.path, 'cache');
  const sandbox = createSandbox({ cache, log: (level, message) => logged.push(`${level}: ${message}`) });
  return {
    sandbox,
    folder: folder.path,
    cache,
    logged,
    fixture: (name) => buildFixture(name, folder.path),
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const assembler = z.object({
  watToComponent: z.custom<(wat: string, world: 'hook-handler') => Promise<Uint8Array>>(),
});

export async function buildFixture(name: string, folder: string): Promise<string> {
  const { watToComponent } = assembler.parse(await import(join(packageRoot, 'scripts', 'wat.mjs')));
  const wat = await readFile(join(packageRoot, 'test', 'fixtures', 'sandbox', `${name}.wat`), 'utf8');
  const path = join(folder, `${name}.wasm`);
  await writeFile(path, await watToComponent(wat, 'hook-handler'));
  return path;
}

/** The error of a promise that must fail. */
export async function errorOf(promise: Promise<unknown>): Promise<HookvisorError> {
  const thrown: unknown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof HookvisorError) return thrown;
  throw new Error(`a HookvisorError was expected, not ${String(thrown)}`);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until something is so; fails after five seconds. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`waited in vain until ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The pid of the first runner, which must run. */
export function runnerPid(sandbox: Sandbox, at = 0): number {
  const pid = sandbox.status().runners[at]?.pid;
  if (pid === undefined || pid === null) throw new Error('no runner runs');
  return pid;
}
