// @ts-check
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { watToModule } from '../../scripts/wat.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const guests = join(root, 'test', 'fixtures', 'fuel');

/** @returns {Promise<Buffer>} */
export async function buildQuickJs() {
  const { componentize } = await import('componentize-qjs');
  const { component } = await componentize({
    witPath: join(root, 'wit'),
    jsSource: await readFile(join(guests, 'quickjs.js'), 'utf8'),
    world: 'hook-handler',
    sync: true,
    stubWasi: true,
    optSize: true,
  });
  return Buffer.from(component);
}

/** @returns {Promise<Buffer>} */
export async function buildLoops() {
  const folder = await mkdtemp(join(tmpdir(), 'hookvisor-bench-'));
  try {
    const output = join(folder, 'loops.wasm');
    const compiler = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
    const options = ['-O3', '--runtime', 'stub', '--use', 'abort='];
    await run(process.execPath, [compiler, join(guests, 'loops.ts'), '--outFile', output, ...options], { cwd: root });
    return await readFile(output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns {Promise<Buffer>} */
export async function buildFib() {
  return Buffer.from(await watToModule(await readFile(join(guests, 'fib.wat'), 'utf8')));
}
