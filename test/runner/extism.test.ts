import { describe, expect, it, vi } from 'vitest';
import { meterNames } from '../../src/contract/meter.js';
import { extismWat, failureFrom, guestLimits, hookCall, loadGuest, moduleBytes } from '../support/plugins.js';
import type { GuestOptions } from '../support/plugins.js';

const guest = async (wat: string, options?: GuestOptions) => loadGuest('extism', await moduleBytes(wat), options);
const evaluate = async (wat: string, options?: GuestOptions) =>
  (await guest(wat, options)).evaluate(hookCall('<domain/>'));
const allow = '{"outcome":"allow"}';

describe('an Extism plugin', () => {
  it('allows, denies and replaces', async () => {
    expect((await evaluate(extismWat(allow))).outcome).toEqual({ outcome: 'allow' });
    expect((await evaluate(extismWat('{"outcome":"deny","reason":"no"}'))).outcome).toEqual({
      outcome: 'deny',
      reason: 'no',
    });
    expect((await evaluate(extismWat('{"outcome":"replace","document":"<a>\u00e9</a>"}'))).outcome).toEqual({
      outcome: 'replace',
      document: Buffer.from('<a>\u00e9</a>'),
    });
  });

  it('breaks the contract with an answer that is no outcome', async () => {
    for (const output of ['', 'no', '{}', '{"outcome":"maybe"}', '{"outcome":"deny"}']) {
      expect(await failureFrom(evaluate(extismWat(output)))).toMatchObject({ failure: 'protocol' });
    }
    const silent = '(module (memory (export "memory") 1) (func (export "handle") (result i32) (i32.const 0)))';
    expect((await failureFrom(evaluate(silent))).message).toBe('the plug-in broke the contract: its answer is empty');
  });

  it('reads its settings from the config, and nothing else', async () => {
    const wat = (key: string) =>
      `(module
        (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
        (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
        (import "extism:host/env" "length" (func $length (param i64) (result i64)))
        (import "extism:host/env" "config_get" (func $get (param i64) (result i64)))
        (import "extism:host/env" "output_set" (func $output (param i64 i64)))
        (memory (export "memory") 1)
        (func (export "handle") (result i32) (local $key i64) (local $value i64)
          (local.set $key (call $alloc (i64.const ${key.length})))
          ${[...Buffer.from(key)].map((byte, i) => `(call $store (i64.add (local.get $key) (i64.const ${i})) (i32.const ${byte}))`).join('\n')}
          (local.set $value (call $get (local.get $key)))
          (call $output (local.get $value) (call $length (local.get $value)))
          (i32.const 0)))`;
    const settings = { answer: { outcome: 'deny', reason: 'from settings' } };
    expect((await evaluate(wat('answer'), { settings })).outcome).toEqual({ outcome: 'deny', reason: 'from settings' });
    for (const key of ['other', 'constructor', '__proto__', 'toString']) {
      expect(await failureFrom(evaluate(wat(key), { settings }))).toMatchObject({ failure: 'protocol' });
    }
  });

  it('logs', async () => {
    const wat = extismWat(allow, {
      imports: '(import "extism:host/env" "log_warn" (func $warn (param i64)))',
      before: '(call $warn (call $to_host (i32.const 2) (i32.const 7)))',
    });
    expect((await evaluate(wat)).logs).toEqual([{ level: 'warn', message: 'outcome' }]);
  });

  it('traps, and what it throws is a trap with its text', async () => {
    expect(await failureFrom(evaluate(extismWat(allow, { before: 'unreachable' })))).toMatchObject({
      failure: 'trap',
      message: 'the plug-in trapped: unreachable',
    });
    const throws = extismWat(allow, {
      imports: '(import "extism:host/env" "error_set" (func $error (param i64)))',
      before: '(call $error (call $to_host (i32.const 2) (i32.const 7)))',
    });
    expect(await failureFrom(evaluate(throws))).toMatchObject({
      failure: 'trap',
      message: 'the plug-in threw: outcome',
    });
  });

  it('ends an endless loop and an endless start function when the fuel is used up', async () => {
    const loop = '(loop $l (br $l))';
    const start = extismWat(allow, { fields: `(func $s ${loop}) (start $s)` });
    for (const wat of [extismWat(allow, { before: loop }), start]) {
      const loaded = await guest(wat);
      await loaded.prepare();
      expect(await failureFrom(loaded.evaluate(hookCall()))).toMatchObject({
        failure: 'out-of-fuel',
        fuel: guestLimits.fuel,
      });
    }
  });

  it('is out of memory when it traps because its memory could not grow', async () => {
    const before = '(loop $l (if (i32.eq (memory.grow (i32.const 10)) (i32.const -1)) (then unreachable)) (br $l))';
    expect(await failureFrom(evaluate(extismWat(allow, { before })))).toMatchObject({ failure: 'out-of-memory' });
  });

  it("cannot take the host's memory through the kernel", async () => {
    const before = '(loop $l (drop (call $alloc (i64.const 1048576))) (br $l))';
    const failure = await failureFrom(evaluate(extismWat(allow, { before })));
    expect(failure).toMatchObject({ failure: 'protocol' });
    expect(failure.message).toContain("of Extism's memory");
  });

  it('starts from nothing at each event, and takes the same fuel each time', async () => {
    const before = `(i32.store (i32.const 900) (i32.add (i32.load (i32.const 900)) (i32.const 1)))
      (if (i32.gt_u (i32.load (i32.const 900)) (i32.const 1)) (then unreachable))`;
    const loaded = await guest(extismWat(allow, { before }));
    const counted = new Set<number | null>();
    for (let i = 0; i < 20; i += 1) {
      if (i % 2 === 0) await loaded.prepare();
      counted.add((await loaded.evaluate(hookCall('<domain/>'))).fuel);
    }
    expect([...counted]).toHaveLength(1);
  });

  it('has one memory for one event after the other, and none of it shows', async () => {
    const instances = vi.spyOn(WebAssembly, 'instantiate');
    const before = `(if (i64.ne (i64.load (i32.const 65528)) (i64.const 0)) (then unreachable))
      (i64.store (i32.const 65528) (i64.const -1))`;
    const loaded = await guest(extismWat(allow, { before }));
    for (let event = 0; event < 5; event += 1) {
      expect((await loaded.evaluate(hookCall())).outcome).toEqual({ outcome: 'allow' });
    }
    const given = instances.mock.calls.map(([, imports]) => imports?.[meterNames.module]?.[meterNames.memory]);
    expect(given).toHaveLength(5);
    expect(new Set(given).size).toBe(1);
    expect(given[0]).toBeInstanceOf(WebAssembly.Memory);
    instances.mockRestore();
  });

  it('objects to its settings', async () => {
    const objection = '{"error":"no limit"}';
    const answer = extismWat(objection).replace('(export "handle")', '(export "validate")');
    const wat = answer.replace(/\)$/u, '(func (export "handle") (result i32) (i32.const 0)))');
    expect(await (await guest(wat)).validate()).toBe('no limit');
    expect(await (await guest(extismWat(allow))).validate()).toBeNull();
  });
});
