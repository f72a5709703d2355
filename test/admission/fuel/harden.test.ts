import { describe, expect, it } from 'vitest';
import { createMeter, meterNames } from '../../../src/contract/meter.js';
import type { Meter } from '../../../src/contract/meter.js';
import { hardenModule } from '../../../src/admission/fuel/harden.js';
import { moduleBytes } from '../../support/plugins.js';

const memoryBytes = 2 * 65_536;
const limits = { deadlineMs: 1_000, fuel: 50_000, memoryBytes };

async function run(wat: string, ...values: number[]): Promise<{ result: unknown; meter: Meter; error: unknown }> {
  const meter = createMeter(limits);
  const module = new WebAssembly.Module(hardenModule(await moduleBytes(wat), { memoryBytes }));
  const imports = { [meterNames.module]: { ...meter.globals } };
  try {
    const exported = new WebAssembly.Instance(module, imports).exports['f'];
    const result: unknown = typeof exported === 'function' ? exported(...values) : undefined;
    return { result, meter, error: null };
  } catch (error) {
    return { result: null, meter, error };
  }
}

const loop = `(module (func (export "f") (param i32) (result i32) (local i32)
  (loop $l
    (local.set 1 (i32.add (local.get 1) (i32.const 2)))
    (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
  (local.get 1)))`;
const grow = '(module (memory 1) (func (export "f") (param i32) (result i32) (memory.grow (local.get 0))))';

describe('hardenModule', () => {
  it('counts the entry and each turn of a loop, and changes no result', async () => {
    const { result, meter } = await run(loop, 10);
    expect(result).toBe(20);
    expect(meter.spent()).toBe(11);
  });

  it('charges work on ranges of memory and tables in proportion to their size', async () => {
    const fill = (size: number) => `(module (memory 2) (table 1000 funcref) (elem func 0) (data "0123456789")
      (func (export "f") (param i32) (result i32)
        (memory.fill (i32.const 0) (i32.const 1) (i32.const ${size}))
        (memory.copy (i32.const 0) (i32.const 4) (i32.const ${size}))
        (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 10))
        (table.fill (i32.const 0) (ref.null func) (i32.const ${size / 32}))
        (table.copy (i32.const 0) (i32.const 1) (i32.const ${size / 32}))
        (table.init 0 (i32.const 0) (i32.const 0) (i32.const 1))
        (table.grow (ref.null func) (i32.const ${size / 32}))))`;
    // 1 for the entry, 1 for table.init, 3 for each of four on tables, then a 16th for each byte and one for each element.
    const always = 2 + 4 * 3;
    expect((await run(fill(320), 0)).meter.spent()).toBe(always + 20 + 20 + 10 + 10 + 10);
    expect((await run(fill(16_000), 0)).meter.spent()).toBe(always + 1_000 + 1_000 + 500 + 500 + 500);
    // A range of no bytes is not for nothing.
    expect((await run(fill(0), 0)).meter.spent()).toBe(always + 12 + 12);
  });

  it('charges growth of a memory by its pages, but not what its maximum forbids', async () => {
    expect((await run(grow, 1)).meter.spent()).toBe(1 + 64 + 20_000);
    expect((await run(grow, 0)).meter.spent()).toBe(1 + 20_000);
    expect((await run(grow, -1)).meter.spent()).toBe(1);
  });

  it('lets no run of code without a loop or call go on for free', async () => {
    const wat = (turns: number) => `(module (func (export "f") (param i32) (result i32)
      ${'(local.set 0 (i32.add (local.get 0) (i32.const 1)))'.repeat(turns)} (local.get 0)))`;
    expect((await run(wat(10), 0)).meter.spent()).toBe(1);
    expect(await run(wat(2_560), 0)).toMatchObject({ result: 2_560 });
    expect((await run(wat(2_560), 0)).meter.spent()).toBe(1 + (4 * 2_560) / 256);
  });

  describe('charges 16 instructions for what denormal numbers send to microcode: ', () => {
    const scalars = ['sqrt', 'mul', 'div'].flatMap((name) => [`f32.${name}`, `f64.${name}`]);
    const vectors = ['sqrt', 'mul', 'div'].flatMap((name) => [`f32x4.${name}`, `f64x2.${name}`]);
    const conversions = ['f32.demote_f64', 'f64.promote_f32', 'f32x4.demote_f64x2_zero', 'f64x2.promote_low_f32x4'];
    it.each([...scalars, ...vectors, ...conversions])('%s', async (name) => {
      const from = name.includes('x') ? 'v128' : (/_f(?:32|64)/u.exec(name)?.[0].slice(1) ?? name.slice(0, 3));
      const operand =
        name.startsWith('f32x4') || name.startsWith('f64x2')
          ? '(local.get 3)'
          : `(local.get ${from === 'f32' ? 1 : 2})`;
      const operands = /mul|div/u.test(name) ? operand.repeat(2) : operand;
      const count = 160;
      const wat = `(module (func (export "f") (param i32) (result i32) (local f32 f64 v128)
        ${`(drop (${name} ${operands}))`.repeat(count)} (local.get 0)))`;
      const { meter, result } = await run(wat, 7);
      expect(result).toBe(7);
      expect(meter.spent()).toBeGreaterThanOrEqual((count * 16) / 256);
    });

    it('a step of f64x2.div on denormals takes 2.5 µs at most, even on a busy machine', async () => {
      const count = 512;
      const turns = 1_000;
      const wat = `(module (func (export "f") (param i32) (result i32) (local v128 v128)
        (local.set 1 (v128.const i64x2 0x1234567 0x1234567)) (local.set 2 (f64x2.splat (f64.const 1.5)))
        (loop $l
          ${'(local.set 1 (f64x2.max (local.get 1) (f64x2.div (local.get 1) (local.get 2))))'.repeat(count)}
          (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i64x2.extract_lane 0 (local.get 1)) (i32.wrap_i64)))`;
      const nsPerStep: number[] = [];
      for (let tries = 0; tries < 4; tries += 1) {
        const before = process.cpuUsage();
        const { meter, error } = await run(wat, turns);
        const { user, system } = process.cpuUsage(before);
        expect(error).toBeNull();
        nsPerStep.push(((user + system) * 1_000) / meter.spent());
      }
      expect(Math.min(...nsPerStep)).toBeLessThan(2_500);
    });
  });

  describe('charges for code that branches go around: ', () => {
    const work = (count: number): string => '(local.set 0 (i32.add (local.get 0) (i32.const 1)))'.repeat(count / 4);
    const skipped = 'nop '.repeat(24);
    // Each fills up 256 instructions in a part that never runs, where a count along the text would take its step.
    const shapes: Record<string, string> = {
      'an if without else': `${work(228)} (if (i32.eqz (local.get 1)) (then ${skipped}))`,
      'the other half of an if': `(if (i32.eqz (local.get 1)) (then ${skipped}) (else ${work(228)}))`,
      'a br_if': `(block ${work(228)} (br_if 0 (local.get 1)) ${skipped})`,
      'a br': `(block (block ${work(228)} (br 1)) ${skipped})`,
      'a br_table': `(block (block ${work(228)} (br_table 0 1 (local.get 1))) ${skipped})`,
      'two blocks at once': `(block (block ${work(228)} (br_if 1 (local.get 1))) ${skipped})`,
    };
    it.each(Object.entries(shapes))('%s', async (_, shape) => {
      const blocks = 100;
      const wat = `(module (func (export "f") (param i32) (result i32) (local i32)
        (local.set 1 (i32.const 1)) ${shape.repeat(blocks)} (local.get 0)))`;
      const { result, meter } = await run(wat, 0);
      expect(result).toBe((blocks * 228) / 4);
      const executed = blocks * 228;
      expect(meter.spent()).toBeGreaterThanOrEqual(Math.floor(executed / 256));
      expect(meter.spent()).toBeLessThanOrEqual(1 + Math.ceil((blocks * (228 + 30)) / 256));
    });

    it('a turn of a loop does not pay for more than itself', async () => {
      const wat = `(module (func (export "f") (param i32) (result i32) (local i32)
        (local.set 1 (i32.const 10))
        (loop $l ${work(2_560)} (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1))))) (local.get 0)))`;
      const { result, meter } = await run(wat, 0);
      expect(result).toBe(6_400);
      expect(meter.spent()).toBe(1 + 10 * (1 + 10));
    });
  });

  it('charges a function for the values that each call hands over or clears', async () => {
    const called = (type: string, values: string): string =>
      `(module (func $g ${type}) (func (export "f") (param i32) (result i32) ${values} (call $g) (i32.const 0)))`;
    expect((await run(called('', ''), 0)).meter.spent()).toBe(2);
    expect((await run(called(`(local ${'i64 '.repeat(2_560)})`, ''), 0)).meter.spent()).toBe(2 + 10);
    const wide = called(`(param ${'i32 '.repeat(640)})`, '(i32.const 1)'.repeat(640));
    expect((await run(wide, 0)).meter.spent()).toBe(2 + 10 + 2);
  });

  it('lets several memories grow no further together than one', async () => {
    const pages = 10;
    const limit = { memoryBytes: pages * 65_536, initialBytes: 2 * 65_536 };
    const module = new WebAssembly.Module(hardenModule(await moduleBytes(grow), limit));
    const meter = createMeter({ ...limits, fuel: 1_000_000 });
    const imports = { [meterNames.module]: { ...meter.globals } };
    const [one, other] = [0, 1].map(() => new WebAssembly.Instance(module, imports).exports['f']);
    if (typeof one !== 'function' || typeof other !== 'function') throw new Error('it exports no function');
    expect([one(5), other(3), meter.starved]).toEqual([1, 1, false]);
    expect([other(1), meter.starved, one(0), meter.starved]).toEqual([-1, true, 6, false]);
    expect([one(-1), one(0x7fff_ffff), other(8), meter.starved]).toEqual([-1, -1, -1, true]);
  });

  it('keeps count through calls from loops, and wherever a function is left', async () => {
    const wat = (leave: string) => `(module (global $mine (mut i32) (i32.const 7))
      (func $g (param i32) (result i32) (global.get $mine))
      (func $two (param i32) (result i32 i32)
        (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 1) (i32.const 2))
      (func (export "f") (param i32) (result i32) (local i32)
        (loop $l
          (local.set 1 (i32.add (local.get 1) (call $g (local.get 0))))
          (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (call $two (i32.const 5)) (drop) (drop)
        ${leave}))`;
    // The entries of f and two, ten turns with a call each, five turns.
    const expected = { result: 70, spent: 2 + 10 + 10 + 5 };
    for (const leave of [
      '(local.get 1)',
      '(return (local.get 1))',
      '(br 0 (local.get 1))',
      '(block (br 1 (local.get 1))) (i32.const 0)',
    ]) {
      const { result, meter } = await run(wat(leave), 10);
      expect({ leave, result, spent: meter.spent() }).toEqual({ leave, ...expected });
    }
    expect((await run(wat('(unreachable)'), 10)).meter.spent()).toBe(expected.spent);
  });

  it('counts calls', async () => {
    const wat = `(module (func $g (param i32) (if (local.get 0) (then (call $g (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "f") (param i32) (call $g (local.get 0))))`;
    const [five, six] = [(await run(wat, 5)).meter.spent(), (await run(wat, 6)).meter.spent()];
    expect(five).toBeGreaterThan(5);
    expect(six).toBeGreaterThan(five);
  });

  it('traps when there is no fuel, and reports the whole budget', async () => {
    const { error, meter } = await run(loop, 100_000);
    expect(error).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(meter.exhausted).toBe(true);
    expect(meter.spent()).toBe(limits.fuel);
  });

  it('uses the last step', async () => {
    expect((await run(loop, limits.fuel - 1)).meter.spent()).toBe(limits.fuel);
    expect((await run(loop, limits.fuel - 1)).error).toBeNull();
    expect((await run(loop, limits.fuel)).meter.exhausted).toBe(true);
  });

  it('caps a memory, and notes that its growth failed until another one succeeds', async () => {
    expect(await run(grow, 1)).toMatchObject({ result: 1, meter: { starved: false } });
    expect(await run(grow, 2)).toMatchObject({ result: -1, meter: { starved: true } });
    const twice = grow.replace('(result i32)', '(result i32) (drop (memory.grow (i32.const 9)))');
    expect(await run(twice, 1)).toMatchObject({ result: 1, meter: { starved: false } });
  });

  it('keeps a lower maximum of the plugin, and an initial table above the cap', async () => {
    expect(await run(grow.replace('(memory 1)', '(memory 1 1)'), 1)).toMatchObject({ result: -1 });
    expect(await run(grow.replace('(memory 1)', '(memory 1 100)'), 2)).toMatchObject({ result: -1 });
    const table = (size: number) =>
      `(module (table ${size} funcref) (func (export "f") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))`;
    expect(await run(table(10), 100)).toMatchObject({ result: 10 });
    expect(await run(table(10), 100_001)).toMatchObject({ result: -1 });
    expect(await run(table(200_000), 1)).toMatchObject({ result: -1 });
  });

  it('is not misled by a plugin whose functions have the names that it uses itself', async () => {
    const wat = `(module (import "hookvisor:meter" "fuel" (global $fuel (mut i64)))
      (func $log_execution (param i32)) (func $memory_grow_pre) (func $memory_grow_post) (memory 1)
      (func (export "log_execution") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "f") (param i32) (result i32) (call $log_execution (i32.const 0)) (local.get 0)))`;
    const { result, meter } = await run(
      wat.replace('(import "hookvisor:meter" "fuel" (global $fuel (mut i64)))', ''),
      5,
    );
    expect(result).toBe(5);
    expect(meter.spent()).toBeGreaterThan(1);
  });

  it('gives the same bytes each time', async () => {
    const bytes = await moduleBytes(loop);
    expect(hardenModule(bytes, { memoryBytes }).equals(hardenModule(bytes, { memoryBytes }))).toBe(true);
  });

  it('refuses what is not valid, and features that would not run the same everywhere', async () => {
    const bytes = await moduleBytes(loop);
    const unknown = Buffer.concat([bytes, Buffer.from([99, 0])]);
    expect(() => hardenModule(unknown, { memoryBytes })).toThrow(/a section of an unknown kind \(99\)/u);
    const broken = await moduleBytes('(module (func (result i32)))');
    expect(() => hardenModule(broken, { memoryBytes })).toThrow(/is not valid WebAssembly/u);
    const tag = await moduleBytes('(module (tag $t) (func (throw $t)))');
    expect(() => hardenModule(tag, { memoryBytes })).toThrow(/Cannot admit the plug-in: /u);
  });
});
