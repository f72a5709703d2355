// @ts-check
/**
 * Upgrades the component translator to another version of Wasmtime: node scripts/upgrade-translator.mjs VERSION
 *
 * Sets `wasmtime-environ` and the matching `wasm-encoder` in native/component-translator/Cargo.toml, builds the
 * translator, regenerates the plans of the test components in test/fixtures/plans/, and shows what has changed: crates,
 * size, and plans. Prints the remaining steps at the end.
 * Exit status: 0 done, 1 something failed, 2 bad arguments.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'native', 'component-translator');
const manifest = join(folder, 'Cargo.toml');
const wasm = join(folder, 'component-translator.wasm');
const plans = join('test', 'fixtures', 'plans');

try {
  process.exitCode = main();
} catch (error) {
  console.error(`Cannot upgrade the translator: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function main() {
  const [version = '', ...rest] = process.argv.slice(2);
  if (!/^\d+\.\d+\.\d+$/u.test(version) || rest.length > 0) {
    console.error('usage: npm run upgrade:translator -- VERSION, for example 49.0.2');
    return 2;
  }
  const [before, crates] = [statSync(wasm).size, cratesOf()];
  pin('wasmtime-environ', version);
  // Each version of Wasmtime needs one version of wasm-encoder; no other can be linked with it.
  pin('wasm-encoder', '*');
  run('cargo', ['update', '--workspace', '--ignore-rust-version'], folder);
  const encoder = encoderOf(version);
  if (encoder === null) throw new Error(`wasmtime-environ ${version} names no wasm-encoder`);
  pin('wasm-encoder', encoder);
  run('cargo', ['update', '--workspace', '--ignore-rust-version'], folder);
  run('node', ['scripts/build-translator.mjs']);
  run('node', ['scripts/build-bundles.mjs']);
  run('npx', ['vitest', 'run', '--configLoader', 'runner', 'test/admission/translation/plan.test.ts', '--update']);
  const after = cratesOf();
  console.log(`\nCrates:`);
  for (const name of new Set([...crates.keys(), ...after.keys()])) {
    const [from = '-', to = '-'] = [crates.get(name), after.get(name)];
    if (from !== to) console.log(`  ${name}: ${from} -> ${to}`);
  }
  console.log(`Size: ${before} -> ${statSync(wasm).size} bytes`);
  console.log('Plans:');
  run('git', ['--no-pager', 'diff', '--stat', '-p', '--', plans]);
  console.log(
    'Read the plans that have changed, raise admissionVersion (src/contract/admission-version.ts), run npm test.',
  );
  return 0;
}

/** @param {string} crate @param {string} version */
function pin(crate, version) {
  const text = readFileSync(manifest, 'utf8');
  const pattern = new RegExp(`(^${crate} = \\{ version = ")[^"]*`, 'mu');
  if (!pattern.test(text)) throw new Error(`${manifest} has no '${crate}'`);
  writeFileSync(manifest, text.replace(pattern, version === '*' ? '$1*' : `$1=${version}`));
}

/** Returns the crates of the lock file, with their versions. */
function cratesOf() {
  const text = readFileSync(join(folder, 'Cargo.lock'), 'utf8');
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const [, name = '', version = ''] of text.matchAll(/^name = "(.+)"\nversion = "(.+)"$/gmu)) {
    found.set(name, [found.get(name), version].filter(Boolean).join(', '));
  }
  return found;
}

/**
 * Returns the version of wasm-encoder that a version of wasmtime-environ requires.
 * @param {string} version
 */
function encoderOf(version) {
  const text = readFileSync(join(folder, 'Cargo.lock'), 'utf8');
  const block = text
    .split('[[package]]')
    .find((one) => one.includes(`name = "wasmtime-environ"\nversion = "${version}"`));
  const named = /"wasm-encoder(?: (\S+))?"/u.exec(block ?? '');
  if (named === null) return null;
  return named[1] ?? /^name = "wasm-encoder"\nversion = "(.+)"$/mu.exec(text)?.[1] ?? null;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 */
function run(command, args, cwd = root) {
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (status !== 0) throw new Error(`'${[command, ...args].join(' ')}' failed`);
}
