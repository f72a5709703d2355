// @ts-check
// Checks what has changed since a commit, in well under a minute: node scripts/check-fast.mjs [BASE]
// BASE defaults to HEAD. Formats and lints changed files only, type-checks the whole project incrementally, and runs the
// tests that changed or that import a changed file. `npm run check` checks everything.
// Exit status: 0 all passed, 1 something failed, 2 bad arguments.
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join('node_modules', '.cache');
/** These need root and libvirt, or compare times and need the machine to themselves. */
const leftOut = /^test\/(?:libvirt-real|bench)\//u;

process.exitCode = await main();

async function main() {
  const [base = 'HEAD', ...rest] = process.argv.slice(2);
  if (rest.length > 0 || base.startsWith('-')) {
    console.error('usage: node scripts/check-fast.mjs [BASE]');
    return 2;
  }
  const changed = await changedFiles(base);
  if (changed.length === 0) {
    console.log(`nothing has changed since ${base}`);
    return 0;
  }
  console.log(`${changed.length} files have changed since ${base}`);
  const sources = changed.filter((file) => /\.(?:ts|mjs|js)$/u.test(file));
  const types = sources.length > 0;
  const checks = [
    () => step('format', 'prettier', ['--check', '--ignore-unknown', '--log-level', 'warn', ...changed]),
    async () =>
      !types ||
      (await step('lint', 'eslint', [
        '--no-warn-ignored',
        '--cache',
        '--cache-location',
        join(cache, 'eslint/'),
        ...sources,
      ])),
    async () => !types || (await step('types', 'tsc', ['-p', 'tsconfig.json', ...incremental('check')])),
  ];
  const passed = await Promise.all(checks.map((check) => check()));
  const tests = await testsOf(changed);
  if (tests.length === 0) console.log('· tests: none imports a changed file');
  else passed.push(await build(changed), await step(`tests (${tests.length} files)`, 'vitest', ['run', ...tests]));
  return passed.every(Boolean) ? 0 : 1;
}

/** @param {string} name @returns {string[]} */
function incremental(name) {
  return ['--incremental', '--tsBuildInfoFile', join(cache, `${name}.tsbuildinfo`)];
}

/**
 * Returns added, changed and untracked files.
 * @param {string} base
 * @returns {Promise<string[]>}
 */
async function changedFiles(base) {
  const lists = await Promise.all([
    run('git', ['diff', '--name-only', '--diff-filter=d', '-z', base, '--'], { cwd: root }),
    run('git', ['ls-files', '--others', '--exclude-standard', '-z'], { cwd: root }),
  ]);
  return [...new Set(lists.flatMap(({ stdout }) => stdout.split('\0')))].filter((file) => file !== '');
}

/**
 * Rebuilds dist/ if needed: tests of processes run the programs there.
 * @param {readonly string[]} changed
 * @returns {Promise<boolean>}
 */
async function build(changed) {
  if (!changed.some((file) => file.startsWith('src/'))) return true;
  const compiled = await step('build', 'tsc', ['-p', 'tsconfig.build.json', ...incremental('build')]);
  return compiled && (await step('bundle', process.execPath, ['scripts/build-bundles.mjs']));
}

/**
 * Returns the tests that changed, and those that directly import a changed file.
 * @param {readonly string[]} changed
 * @returns {Promise<string[]>}
 */
async function testsOf(changed) {
  const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', 'test'], {
    cwd: root,
  });
  const tests = stdout.split('\0').filter((file) => file.endsWith('.test.ts') && existsSync(join(root, file)));
  const names = new Set(changed);
  return tests.filter(
    (file) => !leftOut.test(file) && (names.has(file) || importsOf(file).some((path) => names.has(path))),
  );
}

/**
 * @param {string} file
 * @returns {string[]} Paths from the root.
 */
function importsOf(file) {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/from '(\.[^']+)'/gu)].map(([, path = '']) =>
    posix.join(dirname(file), path).replace(/\.js$/u, '.ts'),
  );
}

/**
 * @param {string} name
 * @param {string} program A name in node_modules/.bin, or a path.
 * @param {readonly string[]} args
 * @returns {Promise<boolean>}
 */
function step(name, program, args) {
  const began = performance.now();
  const path = program.includes('/') ? program : join(root, 'node_modules', '.bin', program);
  const child = spawn(path, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const collect = (/** @type {Buffer} */ chunk) => (text += chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return new Promise((resolve) => {
    child.once('close', (status) => {
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      console.log(`${status === 0 ? '✓' : '✗'} ${name} (${seconds} s)${status === 0 ? '' : `\n${text.trim()}`}`);
      resolve(status === 0);
    });
  });
}
