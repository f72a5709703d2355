// @ts-check
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { encodeFrame } from '../../dist/contract/framing.js';

const run = promisify(execFile);
export const root = fileURLToPath(new URL('../..', import.meta.url));
const built = (/** @type {string} */ plugin) => join(root, 'plugins', plugin, 'build', `${plugin}.wasm`);
/** The options with which the systemd unit starts Node. */
const unitFlags = (await readFile(join(root, 'packaging/hookvisor.service'), 'utf8'))
  .replace(/^.*ExecStart=@NODE@ (.*?)@MAIN@.*$/su, '$1')
  .trim()
  .split(' ');
export const plugins = { compiled: built('tiny-allow'), extism: built('quota'), typescript: built('naming') };

/**
 * A folder with the native programs, the document and the hooks that a benchmark calls. `musl` says whether there is a
 * baseline built with musl-gcc, as the hook client is if musl-gcc is installed.
 * @typedef {{ dir: string, musl: boolean, spawn: string, blast: string, document: string, hook: string,
 *   program: (name: string) => string, path: (name: string) => string, close: () => Promise<void> }} Stage
 */

/** @returns {Promise<Stage>} */
export async function openStage() {
  const dir = await mkdtemp(join(tmpdir(), 'hookvisor-bench-'));
  const path = (/** @type {string} */ name) => join(dir, name);
  for (const name of ['spawn', 'noop', 'floor-client', 'floor-server', 'blast', 'machine']) {
    const source = join(root, 'bench', 'native', `${name}.c`);
    await run('cc', ['-O2', '-static', '-w', '-o', path(name), source]);
  }
  const small = ['-O2', '-static', '-w', '-o', path('floor-client-musl'), join(root, 'bench/native/floor-client.c')];
  const musl = await run('musl-gcc', small).then(
    () => true,
    () => false,
  );
  await mkdir(path('hooks'));
  const hook = path('hooks/qemu');
  await symlink(join(root, 'dist', 'hook-client'), hook);
  const document = path('domain.xml');
  await writeFile(document, await readFile(join(root, 'bench', 'guests', 'domain.xml')));
  const close = () => rm(dir, { recursive: true, force: true });
  return { dir, musl, path, program: path, spawn: path('spawn'), blast: path('blast'), document, hook, close };
}

/**
 * Writes an executable hook.
 * @param {Stage} stage
 * @param {string} name
 * @param {string} text
 */
export async function writeHook(stage, name, text) {
  const file = stage.path(name);
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

/**
 * Writes the bytes of one hook call to a file for `blast`.
 * @param {Stage} stage
 * @param {string} name
 * @param {{ object: string, document?: Buffer }} call
 */
export async function writeCall(stage, name, { object, document }) {
  const args = Buffer.from(['qemu', object, 'prepare', 'begin', '-'].join('\0'));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(args.length);
  const file = stage.path(name);
  await writeFile(file, encodeFrame(1, length, args, document ?? (await readFile(stage.document))));
  return file;
}

/**
 * A process that SIGTERM terminates.
 * @typedef {{ pid: number, text: () => string, stop: () => Promise<void> }} Served
 */

/**
 * Starts a program and resolves as soon as its stderr or stdout contains `ready`.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RegExp} ready
 * @returns {Promise<Served>}
 */
export function startProgram(command, args, ready) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const ended = new Promise((resolve) => child.once('close', resolve));
  return new Promise((resolve, reject) => {
    const stop = async () => {
      child.kill('SIGTERM');
      await ended;
    };
    const listen = (/** @type {Buffer} */ chunk) => {
      text += chunk.toString();
      if (ready.test(text)) resolve({ pid: child.pid ?? 0, text: () => text, stop });
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('error', reject);
    void ended.then(() => {
      reject(new Error(`'${command}' ended: ${text}`));
    });
  });
}

/**
 * The parts of a benchmark's configuration; JSON is valid YAML.
 * @typedef {{ handlers: Record<string, object>, routes: object[], journal?: boolean, sandbox?: object }} Setup
 */

/**
 * @param {Stage} stage
 * @param {string} name Of the runtime: its files are named after it.
 * @param {Setup} setup
 */
export async function writeConfig(stage, name, { handlers, routes, journal = true, sandbox }) {
  const file = stage.path(`${name}.yaml`);
  const socket = stage.path(`${name}.sock`);
  const config = {
    version: 1,
    socket,
    cache: stage.path('cache'),
    journal: journal ? { dir: stage.path(`${name}-journal`) } : false,
    ...(sandbox === undefined ? {} : { sandbox }),
    handlers,
    routes,
  };
  await writeFile(file, JSON.stringify(config));
  return { file, socket };
}

/**
 * Starts `hookvisor serve`, or another program that accepts the same options.
 * @param {string} file
 * @param {string} [program]
 */
export function serve(file, program = join(root, 'dist', 'commands', 'main.js')) {
  return startProgram(process.execPath, [...unitFlags, program, 'serve', '--config', file], /listening on/u);
}

export const handlers = {
  compiled: { backend: 'component', source: plugins.compiled, failurePolicy: 'fail' },
  extism: { backend: 'extism', source: plugins.extism, settings: { maxMemoryMiB: 65_536 }, failurePolicy: 'fail' },
  typescript: { backend: 'component', source: plugins.typescript, failurePolicy: 'fail' },
};

/**
 * Returns a route for each handler: events of objects whose names begin with the handler's name.
 * @param {readonly string[]} names
 */
export const routesByName = (names) =>
  names.map((name) => ({ match: { driver: 'qemu', name: `${name}-*` }, handlers: [name] }));
