import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMeter, meterNames } from '../../src/contract/meter.js';
import { hardenModule } from '../../src/admission/fuel/harden.js';
import { moduleBytes } from '../support/plugins.js';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';

const memoryBytes = 4 * 65_536;
const limits = { deadlineMs: 1_000, fuel: 20_000, memoryBytes };

/**
 * Code over the i32 locals 0 to 3. What it does to `$count` is what fuel should come to; `depth` labels lie around it.
 */
type Code = (depth: number) => string;

const word = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer());
const local = fc.nat(2);

const { value, statement } = fc.letrec<{ value: Code; statement: Code; statements: Code; leaf: Code }>((tie) => ({
  leaf: fc.oneof(
    word.map((number) => () => `(i32.const ${number})`),
    local.map((at) => () => `(local.get ${at})`),
    fc.constant(() => '(global.get $mine)'),
    fc.constant(() => '(memory.size)'),
  ),
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('leaf'),
    fc.tuple(fc.constantFrom('add', 'sub', 'mul', 'xor', 'shl', 'lt_s', 'div_u'), tie('value'), tie('value')).map(
      ([name, a, b]) =>
        (depth: number) =>
          `(i32.${name} ${a(depth)} ${b(depth)})`,
    ),
    fc.tuple(tie('value'), tie('statement')).map(
      ([a, s]) =>
        (depth: number) =>
          `(block (result i32) ${s(depth + 1)} ${a(depth + 1)})`,
    ),
    fc.tuple(tie('value'), tie('value'), tie('value')).map(
      ([test, a, b]) =>
        (depth: number) =>
          `(if (result i32) ${test(depth)} (then ${a(depth + 1)}) (else ${b(depth + 1)}))`,
    ),
    tie('value').map((a) => (depth: number) => `(call $callee ${a(depth)})`),
    tie('value').map((a) => (depth: number) => `(call_indirect (type $unary) ${a(depth)} (i32.const 0))`),
    fc.nat(1).map((pages) => () => `(memory.grow (i32.const ${pages}))`),
  ),
  statements: fc
    .array(tie('statement'), { maxLength: 3 })
    .map((all) => (depth: number) => all.map((one) => one(depth)).join('\n')),
  statement: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.tuple(local, tie('value')).map(
      ([at, a]) =>
        (depth: number) =>
          `(local.set ${at} ${a(depth)})`,
    ),
    tie('value').map((a) => (depth: number) => `(global.set $mine ${a(depth)})`),
    tie('value').map((a) => (depth: number) => `(i32.store8 (i32.and ${a(depth)} (i32.const 255)) ${a(depth)})`),
    // A loop of a few turns, with a counter of its own depth.
    fc.tuple(fc.nat(4), tie('statements')).map(
      ([turns, body]) =>
        (depth: number) =>
          `(global.set $turns (i32.const ${turns}))
           (block (loop $again ${tick}
             ${body(depth + 2)}
             (br_if 1 (i32.le_s (global.get $turns) (i32.const 0)))
             (global.set $turns (i32.sub (global.get $turns) (i32.const 1)))
             (br $again)))`,
    ),
    fc.tuple(tie('value'), tie('statements')).map(
      ([a, s]) =>
        (depth: number) =>
          `(if ${a(depth)} (then ${s(depth + 1)}))`,
    ),
    fc.tuple(fc.nat(9), tie('value')).map(([to, a]) => (depth: number) => {
      const target = to % (depth + 1);
      // Branching backwards is for loops to do; the outermost label takes the function's result.
      return target === depth ? `(br_if ${depth} (i32.const 7) ${a(depth)}) (drop)` : `(drop ${a(depth)})`;
    }),
    tie('value').map((a) => (depth: number) => `(if ${a(depth)} (then (return ${a(depth)})))`),
    fc.constant(() => '(if (i32.eqz (local.get 0)) (then (unreachable)))'),
    fc.tuple(tie('value'), fc.nat(300)).map(
      ([a, size]) =>
        (depth: number) =>
          `(memory.fill (i32.and ${a(depth)} (i32.const 255)) (i32.const 1) (i32.const ${size}))
           (global.set $count (i32.add (global.get $count) (i32.const ${size === 0 ? 12 : size >> 4})))`,
    ),
  ),
}));

const tick = '(global.set $count (i32.add (global.get $count) (i32.const 1)))';

const program = fc.tuple(fc.array(statement, { minLength: 1, maxLength: 4 }), value, statement, value).map(
  ([all, result, calleeDoes, calleeGives]) => `(module
    (type $unary (func (param i32) (result i32)))
    (memory 1 3) (table 1 funcref) (elem (i32.const 0) $leaf)
    (global $mine (mut i32) (i32.const 5)) (global $turns (mut i32) (i32.const 0))
    (global $count (export "count") (mut i32) (i32.const 0)) (global $deep (mut i32) (i32.const 6))
    (func $leaf (type $unary) ${tick} (i32.add (local.get 0) (i32.const 1)))
    (func $callee (param i32) (result i32) (local i32 i32 i32) ${tick}
      (if (i32.eqz (global.get $deep)) (then (return (local.get 0))))
      (global.set $deep (i32.sub (global.get $deep) (i32.const 1)))
      ${calleeDoes(0)} ${calleeGives(0)})
    (func (export "f") (param i32) (result i32) (local i32 i32 i32) ${tick} ${all.map((one) => one(0)).join('\n')} ${result(0)}))`,
);

interface Run {
  readonly result: unknown;
  readonly trapped: boolean;
  readonly count: unknown;
}

function run(bytes: Buffer, imports: WebAssembly.Imports): Run {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  const { f, count } = { f: exports['f'], count: exports['count'] };
  if (typeof f !== 'function' || !(count instanceof WebAssembly.Global)) throw new Error('it exports other things');
  try {
    return { result: f(3), trapped: false, count: count.value };
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    return { result: null, trapped: true, count: count.value };
  }
}

describe('a generated module', () => {
  it(
    'does the same with fuel built in, and each entry, turn and range is counted once',
    async () => {
      await fuzz({
        name: 'fuel',
        inputs: program,
        save: (wat) => wat,
        async holds(wat) {
          const bytes = await moduleBytes(wat);
          const hardened = hardenModule(bytes, { memoryBytes });
          const meter = createMeter(limits);
          const metered = run(hardened, { [meterNames.module]: { ...meter.globals } });
          const again = createMeter(limits);
          run(hardened, { [meterNames.module]: { ...again.globals } });
          expect(again.spent()).toBe(meter.spent());
          if (meter.exhausted) return;
          const plain = run(bytes, {});
          expect(metered).toEqual(plain);
          // A page that a memory grows by is not counted by the module itself, nor are its long runs of code.
          const extra = meter.spent() - Number(plain.count);
          if (!plain.trapped) expect(extra).toBeGreaterThanOrEqual(0);
          if (!plain.trapped && !wat.includes('memory.grow') && wat.length < 6_000) expect(extra).toBe(0);
        },
      });
    },
    fuzzTimeoutMs,
  );
});
