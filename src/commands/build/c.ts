import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { packageRoot } from '../../shared/paths.js';
import { componentFromCore } from './component.js';
import type { Project } from './project.js';
import { runTool } from './tools.js';

/** Compiles without a C library: the header contains what a plug-in needs. */
const flags = ['--target=wasm32-unknown-unknown', '-std=c11', '-O2', '-ffreestanding', '-nostdlib', '-Wall', '-Wextra'];
const link = ['-Wl,--no-entry', '-Wl,--strip-all', '-Wl,-z,stack-size=65536'];

/** Compiles C to a component with clang and wasm-ld. Compiler errors contain file and line. */
export async function buildC({ folder, source }: Project): Promise<Buffer> {
  const stage = await mkdtemp(join(tmpdir(), 'hookvisor-build-'));
  const output = join(stage, 'plugin.wasm');
  try {
    await runTool({
      command: process.env['CLANG'] ?? 'clang',
      args: [
        ...flags,
        ...link,
        '-fno-color-diagnostics',
        `-I${join(packageRoot, 'guest', 'c')}`,
        '-o',
        output,
        relative(folder, source),
      ],
      cwd: folder,
      install:
        'install clang and lld (on Debian: apt install clang lld), or set the variable CLANG to another compiler',
    });
    return await componentFromCore(await readFile(output), folder);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}
