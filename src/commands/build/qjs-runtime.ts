import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { HookvisorError } from '../../contract/errors.js';
import { replaceImports, type Body, type Replacement } from './replace-imports.js';
import { readNumber } from './strip.js';

/** Header of every core module. */
const header = Buffer.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** A section that only the QuickJS runtimes in componentize-qjs have, and an import that all of them have. */
const marks = ['dylink.0', 'local:init/module-loader'];
/** An import that only runtimes with asynchronous functions have. */
const asyncMark = '[waitable-join]';

/** Time and seed that the runtime receives at build time: always the same. */
const constants: readonly Replacement[] = [
  { import: /monotonic-clock@\S+ now$/u, body: ({ module }) => module.i64.const(0n) },
  { import: /wall-clock@\S+ now$/u, body: (tools) => zeros(tools, 2) },
  { import: /insecure-seed@\S+ insecure-seed$/u, body: (tools) => zeros(tools, 2) },
];

/** Stores 64-bit words at the address where the caller expects the result. */
function zeros({ module, binaryen }: Parameters<Body>[0], words: number): number {
  const stores = Array.from({ length: words }, (_, at) =>
    module.i64.store(at * 8, 8, module.local.get(0, binaryen.i32), module.i64.const(0n)),
  );
  return module.block(null, stores);
}

let made: Promise<Buffer> | null = null;

/**
 * Returns the QuickJS runtime of componentize-qjs (the small one, without asynchronous functions) with its clock and
 * random seed replaced by constants. componentize-qjs runs the runtime and stores its memory in the component,
 * including times and hash table seeds: without this, two builds of one source differ. Throws HookvisorError `internal`
 * when this version of componentize-qjs has another structure.
 */
export function reproducibleRuntime(folder: string): Promise<Buffer> {
  return (made ??= makeRuntime(folder));
}

async function makeRuntime(folder: string): Promise<Buffer> {
  const runtime = smallestSyncRuntime(await readFile(bindingFile()));
  return replaceImports(runtime, constants, folder);
}

/** Finds the native addon that contains the runtimes. It is already loaded, because importing componentize-qjs loads it. */
function bindingFile(): string {
  const loaded = Object.keys(createRequire(import.meta.url).cache).filter((file) => /qjs[^/\\]*\.node$/u.test(file));
  const [file] = loaded;
  if (file === undefined) throw unknownVersion('its native addon was not found');
  return file;
}

function smallestSyncRuntime(binding: Buffer): Buffer {
  const found: Buffer[] = [];
  for (let at = binding.indexOf(header); at >= 0; at = binding.indexOf(header, at + header.length)) {
    const module = binding.subarray(at, endOfModule(binding, at));
    if (marks.every((mark) => module.includes(mark)) && !module.includes(asyncMark)) found.push(module);
  }
  const [smallest] = found.sort((a, b) => a.length - b.length);
  if (smallest === undefined) throw unknownVersion('its native addon contains no known runtime');
  return smallest;
}

/** Finds the end of the sections after the header: the next header, or the first byte that is not a section. */
function endOfModule(bytes: Buffer, start: number): number {
  const highestSection = 13;
  let at = start + header.length;
  for (;;) {
    const id = bytes[at] ?? 255;
    if (id > highestSection || bytes.subarray(at, at + header.length).equals(header)) return at;
    const { value: size, next } = readNumber(bytes, at + 1);
    if (size === 0 || next + size > bytes.length) return at;
    if (id === 0 && !isCustomSection(bytes, next, size)) return at;
    at = next + size;
  }
}

/** Detects zeros after a module, which look like a custom section; a real one has a name. */
function isCustomSection(bytes: Buffer, start: number, size: number): boolean {
  const { value: length, next } = readNumber(bytes, start);
  const name = bytes.subarray(next, next + length);
  return length > 0 && next + length <= start + size && name.every((byte) => byte >= 0x20 && byte < 0x7f);
}

function unknownVersion(what: string): HookvisorError {
  return new HookvisorError(
    'internal',
    `Cannot build reproducibly with this componentize-qjs: ${what}; run: npm install --save-dev componentize-qjs@0.4.5`,
  );
}
