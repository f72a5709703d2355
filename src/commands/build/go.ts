import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { componentFromCore } from './component.js';
import type { Project } from './project.js';
import { replaceImports, type Body, type Replacement } from './replace-imports.js';
import { runTool } from './tools.js';

const success = 0;
const badDescriptor = 8;

/**
 * The Go runtime requests arguments, environment, clock and randomness from WASI before the code of the plug-in runs. A
 * plug-in may not import WASI, so constants take their place. The clock must not be 0, which Go considers broken.
 */
const wasi = (name: string, body: Replacement['body']): Replacement => ({
  import: new RegExp(`^wasi_snapshot_preview1 ${name}$`, 'u'),
  body,
});

/** Returns a function body that runs this expression and returns success. */
function succeeds({ module, binaryen }: Parameters<Body>[0], body: readonly number[]): number {
  return module.block(null, [...body, module.i32.const(success)], binaryen.i32);
}

const constants: readonly Replacement[] = [
  wasi('(?:args|environ)_sizes_get', ({ module, binaryen }) =>
    succeeds({ module, binaryen }, [
      module.i32.store(0, 4, module.local.get(0, binaryen.i32), module.i32.const(0)),
      module.i32.store(0, 4, module.local.get(1, binaryen.i32), module.i32.const(0)),
    ]),
  ),
  wasi('(?:args_get|environ_get|sched_yield)', ({ module }) => module.i32.const(success)),
  wasi('clock_time_get', ({ module, binaryen }) =>
    succeeds({ module, binaryen }, [module.i64.store(0, 8, module.local.get(2, binaryen.i32), module.i64.const(1n))]),
  ),
  wasi('random_get', ({ module, binaryen }) =>
    succeeds({ module, binaryen }, [
      module.memory.fill(module.local.get(0, binaryen.i32), module.i32.const(0), module.local.get(1, binaryen.i32)),
    ]),
  ),
  wasi('fd_\\w+', ({ module }) => module.i32.const(badDescriptor)),
  wasi('(?:proc_exit|poll_oneoff)', ({ module }) => module.unreachable()),
];

/** Compiles Go (1.24 or later) to a component without WASI. Compiler errors contain file and line. */
export async function buildGo({ folder, source }: Project): Promise<Buffer> {
  const stage = await mkdtemp(join(tmpdir(), 'hookvisor-build-'));
  const output = join(stage, 'plugin.wasm');
  try {
    await runTool({
      command: process.env['GO'] ?? 'go',
      args: ['build', '-buildmode=c-shared', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', output, '.'],
      cwd: dirname(source),
      env: { GOOS: 'wasip1', GOARCH: 'wasm', CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '' },
      install: 'install Go 1.24 or later (https://go.dev/dl), or set the variable GO to another one',
    });
    return await componentFromCore(await replaceImports(await readFile(output), constants, folder), folder);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}
