import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { HookvisorError } from '../../contract/errors.js';
import { componentFromCore } from './component.js';
import type { Project } from './project.js';
import { runTool } from './tools.js';

const target = 'wasm32-unknown-unknown';
const install =
  `install Rust and its target ${target}: rustup target add ${target}, ` +
  `or on Debian: apt install rustc libstd-rust-dev-wasm32 lld; or set the variable RUSTC to another compiler`;

/** Compiles Rust to a component with rustc and no crates. Compiler errors contain file and line. */
export async function buildRust({ folder, source }: Project): Promise<Buffer> {
  const stage = await mkdtemp(join(tmpdir(), 'hookvisor-build-'));
  const output = join(stage, 'plugin.wasm');
  const shape = ['--edition=2021', '--crate-type=cdylib', '-Copt-level=s', '-Cpanic=abort', '-Cstrip=symbols'];
  try {
    await runTool({
      command: process.env['RUSTC'] ?? 'rustc',
      args: [
        ...shape,
        `--target=${target}`,
        '--color=never',
        `--remap-path-prefix=${folder}=.`,
        '-o',
        output,
        relative(folder, source),
      ],
      cwd: folder,
      install,
    });
    return await componentFromCore(await readFile(output), folder);
  } catch (error) {
    // rustc only reports that it cannot find the crate `std` or `core`.
    if (error instanceof HookvisorError && /can't find crate for `(?:std|core)`/u.test(error.message)) {
      throw new HookvisorError('usage', `Cannot build '${folder}': rustc has no target ${target}; ${install}`, {
        cause: error,
      });
    }
    throw error;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}
