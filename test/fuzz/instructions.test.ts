import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HookvisorError } from '../../src/contract/errors.js';
import { readComponent } from '../../src/admission/wasm/component-binary.js';
import { readLocals } from '../../src/admission/wasm/locals.js';
import { moduleSection, moduleSections } from '../../src/admission/wasm/module-sections.js';
import { instructionEnd, localsEnd } from '../../src/admission/wasm/second-decoder.js';
import { readInstruction } from '../../src/admission/wasm/wasm-code.js';
import { WasmReader } from '../../src/admission/wasm/wasm-reader.js';
import { wasmLayer } from '../../src/shared/wasm-layer.js';
import { samplePlugin } from '../support/runtime.js';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';
import { mutate, mutations } from './mutate.js';

/** Bytes that decide where an instruction ends: prefixes, types, the limits of numbers, forms that later versions added. */
const telling = [
  ...[0x00, 0x01, 0x07, 0x08, 0x0f, 0x10, 0x3f, 0x40, 0x41, 0x63, 0x64, 0x69, 0x6f, 0x70],
  ...[0x7b, 0x7f, 0x80, 0x81, 0xbf, 0xf0, 0xfb, 0xfc, 0xfd, 0xfe, 0xff],
];
const byte = fc.oneof(fc.nat(255), fc.constantFrom(...telling));
const instruction = fc
  .tuple(fc.nat(255), fc.array(byte, { maxLength: 24 }))
  .map(([opcode, rest]) => Buffer.from([opcode, ...rest]));
const prefixed = fc
  .tuple(fc.constantFrom(0xfb, 0xfc, 0xfd, 0xfe), fc.nat(0x1ff), fc.array(byte, { maxLength: 24 }))
  .map(([prefix, sub, rest]) => Buffer.from([prefix, ...(sub < 128 ? [sub] : [(sub % 128) + 128, sub >> 7]), ...rest]));

/** The end by the first decoder, as the second one gives it: -1 where it refuses what stands there. */
function firstEnd(code: Buffer, at: number, read: (reader: WasmReader) => unknown): number {
  const reader = new WasmReader(code.subarray(at));
  try {
    read(reader);
    return at + reader.at;
  } catch (error) {
    if (error instanceof HookvisorError && /^plugin-(?:refused|invalid)$/u.test(error.code)) return -1;
    throw error;
  }
}

/** Steps through code with both decoders; gives how many instructions there are up to one that both refuse. */
function stepThrough(code: Buffer, start: number): number {
  let count = 0;
  for (let at = start; at >= 0 && at < code.length; count += 1) {
    const end = instructionEnd(code, at);
    expect({ at, end: firstEnd(code, at, readInstruction) }).toEqual({ at, end });
    at = end;
  }
  return count;
}

/** Steps through a function's body. */
function stepThroughBody(body: Buffer): number {
  const start = localsEnd(body);
  expect(firstEnd(body, 0, readLocals)).toBe(start);
  return start < 0 ? 0 : stepThrough(body, start);
}

/** The functions of a plugin, as they are compiled into it. */
function bodiesOf(plugin: Buffer): Buffer[] {
  const modules =
    wasmLayer(plugin) === 'module' ? [plugin] : readComponent(plugin).coreModules.map(({ bytes }) => bytes);
  return modules.flatMap((module) => {
    const code = moduleSections(module).get(moduleSection.code);
    if (code === undefined) return [];
    const reader = new WasmReader(code);
    return reader.many(() => reader.take(reader.uint()));
  });
}

const bodies = (['naming', 'quota', 'tiny-allow'] as const).flatMap((name) =>
  bodiesOf(readFileSync(samplePlugin(name))),
);
const small = bodies.filter(({ length }) => length < 2_000);

describe('each instruction', () => {
  it('of the sample plugins ends at the same place for the reader and for the second decoder', () => {
    const counts = bodies.map(stepThroughBody);
    expect(bodies.length).toBeGreaterThan(1_000);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(100_000);
  }, 60_000);

  it(
    'of generated and changed code ends at the same place for both decoders',
    async () => {
      const changed = fc
        .tuple(fc.nat(small.length - 1), mutations)
        .map(([at, changes]) => ({ body: mutate(small[at] ?? Buffer.alloc(0), changes), whole: true }));
      const generated = fc.oneof(instruction, prefixed).map((body) => ({ body, whole: false }));
      await fuzz({
        name: 'instructions',
        inputs: fc.oneof({ weight: 4, arbitrary: generated }, { weight: 1, arbitrary: changed }),
        save: ({ body }) => body,
        holds({ body, whole }) {
          if (whole) stepThroughBody(body);
          else stepThrough(body, 0);
        },
      });
    },
    fuzzTimeoutMs,
  );
});
