import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { Project } from './project.js';
import { strip } from './strip.js';
import { authorModule, runTool } from './tools.js';

/**
 * Compiles AssemblyScript to an Extism plug-in. An instance decides one event, so memory is never freed (runtime stub),
 * and `abort` traps instead of calling an import. The compiler runs for seconds, hence in a separate process.
 */
export async function buildAssemblyScript({ folder, source }: Project): Promise<Buffer> {
  const compiler = authorModule('assemblyscript/bin/asc.js', folder);
  const pdk = dirname(dirname(dirname(authorModule('@extism/as-pdk', folder))));
  const stage = await mkdtemp(join(tmpdir(), 'hookvisor-build-'));
  const output = join(stage, 'plugin.wasm');
  const shape = ['-Oz', '--runtime', 'stub', '--use', 'abort=', '--path', pdk, '--noColors'];
  try {
    await runTool({
      command: process.execPath,
      args: [compiler, relative(folder, source), '--outFile', output, ...shape],
      cwd: folder,
      install: 'install Node.js',
    });
    return strip(await readFile(output));
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}
