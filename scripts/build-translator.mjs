// @ts-check
/**
 * Builds native/component-translator/ with cargo: node scripts/build-translator.mjs [--check]
 *
 * Writes native/component-translator/component-translator.wasm, and beside it the licences of its parts. Both are
 * committed, because users of the package have no cargo. The same sources give the same bytes on every machine with the
 * compiler that Cargo.toml names. With --check, compares the files and writes nothing.
 * Exit status: 0 done, identical, or not checked (prints why); 1 different, or the build failed; 2 bad arguments.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const folder = fileURLToPath(new URL('../native/component-translator', import.meta.url));
const target = 'wasm32-unknown-unknown';
const built = join(folder, 'target', target, 'release', 'component_translator.wasm');
const files = {
  wasm: join(folder, 'component-translator.wasm'),
  licences: join(folder, 'THIRD-PARTY-LICENSES'),
};
const metadataSchema = z.object({
  packages: z.array(
    z.object({
      ...{ id: z.string(), name: z.string(), version: z.string(), license: z.string().nullable() },
      manifest_path: z.string(),
      targets: z.array(z.object({ kind: z.array(z.string()) })),
    }),
  ),
  resolve: z.object({
    nodes: z.array(
      z.object({
        id: z.string(),
        deps: z.array(z.object({ pkg: z.string(), dep_kinds: z.array(z.object({ kind: z.string().nullable() })) })),
      }),
    ),
    root: z.string(),
  }),
});

process.exitCode = main();

function main() {
  const [option, ...rest] = process.argv.slice(2);
  if (rest.length > 0 || (option !== undefined && option !== '--check')) {
    console.error('usage: node scripts/build-translator.mjs [--check]');
    return 2;
  }
  const check = option === '--check';
  const lack = missing();
  if (lack !== null) {
    if (check) console.log(`note: whether component-translator.wasm is that of its sources was not checked: ${lack}`);
    else console.error(`Cannot build the translator: ${lack}`);
    return check ? 0 : 1;
  }
  if (!build()) return 1;
  const fresh = { wasm: readFileSync(built), licences: Buffer.from(licences()) };
  if (!check) {
    writeFileSync(files.wasm, fresh.wasm);
    writeFileSync(files.licences, fresh.licences);
    return 0;
  }
  const stale = [files.wasm, files.licences].filter(
    (file, at) => !existsSync(file) || !readFileSync(file).equals(at === 0 ? fresh.wasm : fresh.licences),
  );
  for (const file of stale) console.error(`${file} is not what its sources give: run 'npm run build:translator'`);
  return stale.length === 0 ? 0 : 1;
}

/** Returns what is missing to build the same bytes, or null. */
function missing() {
  const rustc = spawnSync('rustc', ['--version'], { cwd: folder, encoding: 'utf8' });
  if (rustc.error !== undefined || spawnSync('cargo', ['--version'], { cwd: folder }).error !== undefined) {
    return 'there is no cargo; install Rust';
  }
  const wanted = /^rust-version = "([\d.]+)"$/mu.exec(readFileSync(join(folder, 'Cargo.toml'), 'utf8'))?.[1] ?? '';
  const version = rustc.stdout.split(' ')[1] ?? '';
  if (!version.startsWith(`${wanted}.`)) return `it takes Rust ${wanted}, this is ${version}`;
  const libdir = spawnSync('rustc', ['--print', 'target-libdir', '--target', target], { encoding: 'utf8' });
  if (!existsSync(libdir.stdout.trim())) return `Rust has no target ${target}; run 'rustup target add ${target}'`;
  return null;
}

/**
 * Sets paths that are the same on every machine, because panic messages contain source paths. A crate that declares a
 * newer Rust version still builds, or reports what is missing.
 */
function build() {
  const home = process.env['CARGO_HOME'] ?? join(homedir(), '.cargo');
  const registry = join(home, 'registry', 'src');
  const fetched = spawnSync('cargo', ['fetch', '--locked'], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  if (fetched.status !== 0) return false;
  const flags = [
    ...readdirSync(registry).map((index) => `--remap-path-prefix=${join(registry, index)}=crates`),
    `--remap-path-prefix=${folder}=translator`,
    // Rust's own sources, if installed.
    `--remap-path-prefix=${spawnSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).stdout.trim()}=rust`,
    '-Clink-arg=--max-memory=1073741824',
  ];
  const run = spawnSync(
    'cargo',
    ['build', '--release', '--locked', '--offline', '--quiet', '--ignore-rust-version', '--target', target],
    {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, CARGO_TARGET_DIR: join(folder, 'target'), CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') },
    },
  );
  return run.status === 0;
}

/** Returns the licences of the crates in the module. A text that several crates share appears once. */
function licences() {
  const args = ['metadata', '--format-version', '1', '--locked', '--offline', '--filter-platform', target];
  const run = spawnSync('cargo', args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const { packages, resolve } = metadataSchema.parse(JSON.parse(run.stdout));
  // Build scripts and procedural macros are not in the module.
  const macros = new Set(
    packages.filter(({ targets }) => targets.some(({ kind }) => kind.includes('proc-macro'))).map(({ id }) => id),
  );
  const linked = new Set();
  const visit = (/** @type {string} */ id) => {
    if (linked.has(id) || macros.has(id)) return;
    linked.add(id);
    for (const { pkg, dep_kinds: kinds } of resolve.nodes.find((node) => node.id === id)?.deps ?? []) {
      if (kinds.some(({ kind }) => kind === null)) visit(pkg);
    }
  };
  visit(resolve.root);
  /** @type {Map<string, string[]>} */
  const byText = new Map();
  for (const { id, name, version, license, manifest_path: manifest } of packages) {
    if (id === resolve.root || !linked.has(id)) continue;
    const all = readdirSync(dirname(manifest)).filter((file) => /^(?:LICEN[CS]E|COPYING|NOTICE)/iu.test(file));
    // If there is a choice, take the shorter text.
    const mit = all.filter((file) => /MIT/u.test(file));
    const texts = mit.length > 0 ? mit : all;
    const text = texts
      .sort()
      .map((file) => readFileSync(join(dirname(manifest), file), 'utf8').trim())
      .join('\n\n');
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license ?? 'no licence named'})`]);
  }
  const line = `\n\n${'='.repeat(78)}\n\n`;
  return `${[...byText].map(([text, names]) => `${names.sort().join('\n')}\n\n${text}`).join(line)}\n`;
}
