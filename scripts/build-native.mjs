// @ts-check
/**
 * Builds the native programs: `node scripts/build-native.mjs [FOLDER]`, default dist/. Compiles FOLDER/hook-client,
 * FOLDER/spawner, FOLDER/gate and FOLDER/without-libvirt if there is a C compiler (CC, default cc, and musl-gcc, if
 * installed, for programs that start at every event). Without a compiler it prints what will be missing, and succeeds.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {{ file: string, compiler: string, stamp: string, temporary: string, sources: string[], headers: string[] }} Program */

const native = fileURLToPath(new URL('../native', import.meta.url));
const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-std=gnu11'];
const emptyProgram = '#include <sys/socket.h>\nint main(void) { return 0; }\n';

const folder = resolve(process.argv[2] ?? fileURLToPath(new URL('../dist', import.meta.url)));
const compiler = process.env['CC'] ?? 'cc';
const small = smallCompiler();
const client = programOf('hook-client', {
  sources: ['client.c', 'exchange.c', 'fallback.c', 'policy.c', 'report.c', 'wait.c'],
  headers: ['clock.h', 'exchange.h', 'fallback.h', 'frame.h', 'policy.h', 'report.h', 'wait.h'],
  with: small,
});
const spawner = programOf('spawner', {
  sources: ['spawner.c', 'job.c'],
  headers: ['clock.h', 'frame.h', 'job.h', 'runtime-child.h'],
});
const gate = programOf('gate', {
  sources: ['gate.c', 'control.c'],
  headers: ['clock.h', 'control.h', 'frame.h', 'runtime-child.h'],
});
const withoutLibvirt = programOf('without-libvirt', { sources: ['without-libvirt.c'], with: small });
const programs = [client, spawner, gate, withoutLibvirt];

/**
 * Returns the compiler for programs that start at every event. A static glibc program executes CPUID 50 times before
 * main(). In a virtual machine the hypervisor handles each of them, 0.2 ms in all. A musl program executes none.
 * @returns {string}
 */
function smallCompiler() {
  const musl = 'musl-gcc';
  if (process.env['CC'] !== undefined) return compiler;
  const output = join(folder, `.musl.${process.pid}.tmp`);
  mkdirSync(folder, { recursive: true });
  const works = compile(musl, ['-static', '-x', 'c', '-', '-o', output], emptyProgram) === null;
  rmSync(output, { force: true });
  return works ? musl : compiler;
}

/**
 * @param {string} name
 * @param {{ sources: string[], headers?: string[], with?: string }} source
 * @returns {Program}
 */
function programOf(name, { sources, headers = [], with: wanted = compiler }) {
  const file = join(folder, name);
  const inNative = (/** @type {string} */ source) => join(native, source);
  const temporary = `${file}.${process.pid}.tmp`;
  const stamp = join(folder, `.${name}.stamp`);
  return {
    file,
    compiler: wanted,
    stamp,
    temporary,
    sources: sources.map(inNative),
    headers: headers.map(inNative),
  };
}

/**
 * Runs a compiler. Returns null if it succeeds, otherwise its output.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} [input]
 * @returns {string | null}
 */
function compile(program, args, input) {
  const run = spawnSync(program, args, { encoding: 'utf8', input: input ?? '' });
  if (run.error) return run.error.message;
  return run.status === 0 ? null : run.stderr;
}

/**
 * @param {Program} program
 * @returns {string | null} null if the file exists and was made from these sources with these flags
 */
function currentStamp({ file, stamp }) {
  try {
    readFileSync(file);
    return readFileSync(stamp, 'utf8');
  } catch {
    return null;
  }
}

/**
 * Compiles a program unless it is up to date.
 * @param {Program} program
 * @returns {string | null} the output of the compiler if it failed, otherwise null
 */
function buildProgram(program) {
  const { file, compiler: own, stamp, temporary, sources, headers } = program;
  const digest = createHash('sha256').update(JSON.stringify([own, flags]));
  for (const source of [...sources, ...headers]) digest.update(readFileSync(source));
  const wanted = digest.digest('hex');
  if (currentStamp(program) === wanted) return null;

  const output = ['-o', temporary, ...sources];
  if (compile(own, ['-static', ...flags, ...output]) !== null) {
    const refusal = compile(own, [...flags, ...output]);
    if (refusal !== null) {
      rmSync(temporary, { force: true });
      return refusal;
    }
    process.stdout.write(`note: ${file} is linked dynamically, since '${own} -static' fails: it starts slower\n`);
  }
  renameSync(temporary, file);
  writeFileSync(`${stamp}.${process.pid}`, wanted);
  renameSync(`${stamp}.${process.pid}`, stamp);
  return null;
}

/** @returns {boolean} whether there is a compiler at all */
function compilerWorks() {
  const works = compile(compiler, ['-x', 'c', '-', '-o', client.temporary], emptyProgram) === null;
  rmSync(client.temporary, { force: true });
  return works;
}

/** @returns {number} the exit status */
function build() {
  mkdirSync(folder, { recursive: true });
  for (const program of programs) {
    const refusal = buildProgram(program);
    if (refusal === null) continue;
    if (compilerWorks()) {
      process.stderr.write(`Cannot compile '${program.sources.join("', '")}' with '${program.compiler}':\n${refusal}`);
      return 1;
    }
    // A program built from other sources would be mistaken for the current one.
    for (const { file, stamp } of programs) for (const path of [file, stamp]) rmSync(path, { force: true });
    process.stdout.write(
      `note: no working C compiler ('${compiler}'), so hooks use the client in Node, about 60 ms ` +
        `slower for each hook call, the runtime takes 0.3 ms more, and script handlers cannot be loaded; install gcc and libc6-dev, then run ` +
        `npm run build again\n`,
    );
    return 0;
  }
  return 0;
}

process.exitCode = build();
