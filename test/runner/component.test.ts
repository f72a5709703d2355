import { afterEach, describe, expect, it, vi } from 'vitest';
import { bounds } from '../../src/contract/limits.js';
import { componentBytes, failureFrom, guestLimits, hookCall, loadGuest } from '../support/plugins.js';
import type { ComponentSource, GuestOptions } from '../support/plugins.js';

const guest = async (source: ComponentSource, options?: GuestOptions) =>
  loadGuest('component', await componentBytes(source), options);
const evaluate = async (source: ComponentSource, document: string | Buffer | null = null, options?: GuestOptions) =>
  (await guest(source, options)).evaluate(hookCall(document));

const imports = `
  (import "hookvisor:hook/settings@0.1.0" "json" (func $json (param i32)))
  (import "hookvisor:hook/document@0.1.0" "text" (func $text (param i32)))
  (import "hookvisor:hook/document@0.1.0" "select" (func $select (param i32 i32 i32)))
  (import "hookvisor:hook/log@0.1.0" "write" (func $write (param i32 i32 i32)))`;

/** Denies with the first string that select gives, or with the number of its error. */
const selects = (xpath: string): ComponentSource => ({
  imports,
  fields: `(data (i32.const 1024) "${xpath}") (data (i32.const 1100) "0123")`,
  handle: `(call $select (i32.const 1024) (i32.const ${xpath.length}) (i32.const 16))
    (if (result i32) (i32.load8_u (i32.const 16))
      (then (call $outcome (i32.const 1) (i32.add (i32.const 1100) (i32.load8_u (i32.const 20))) (i32.const 1)))
      (else (call $outcome (i32.const 1) (i32.load (i32.load (i32.const 20))) (i32.load offset=4 (i32.load (i32.const 20))))))`,
});
/** Denies when a byte of its memory is not zero which no data and no argument has written, and writes to all of them. */
const keeping: ComponentSource = {
  handle: `(local $at i32)
    (local.set $at (i32.const 8192))
    (loop $next
      (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (return (call $outcome (i32.const 1) (i32.const 0) (i32.const 0)))))
      (i64.store (local.get $at) (i64.const -1))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 131072))))
    (i32.const 0)`,
};

/** Counts the memories that anybody in this process looks into from now on. */
function memoriesSeen(): () => number {
  const looks = vi.spyOn(WebAssembly.Memory.prototype, 'buffer', 'get');
  return () => new Set(looks.mock.contexts).size;
}

const endless: ComponentSource = { handle: '(loop $l (br $l)) (unreachable)' };

afterEach(() => vi.restoreAllMocks());

describe('a component', () => {
  it('allows', async () => {
    expect(await evaluate({ handle: '(i32.const 0)' })).toMatchObject({ outcome: { outcome: 'allow' }, logs: [] });
  });

  it('denies with a field of the event', async () => {
    const source = {
      handle:
        '(call $outcome (i32.const 1) (i32.load offset=24 (local.get $event)) (i32.load offset=28 (local.get $event)))',
    };
    expect(await evaluate(source)).toMatchObject({ outcome: { outcome: 'deny', reason: 'tiny' } });
  });

  it('replaces the document with the text that it read', async () => {
    const handle = `(call $text (i32.const 16))
      (call $outcome (i32.const 2) (i32.load (i32.const 20)) (i32.load (i32.const 24)))`;
    const { outcome } = await evaluate({ imports, handle }, '<a>\u00e9</a>');
    expect(outcome).toEqual({ outcome: 'replace', document: Buffer.from('<a>\u00e9</a>') });
  });

  it('reads its settings', async () => {
    const handle = `(call $json (i32.const 16))
      (call $outcome (i32.const 1) (i32.load (i32.const 16)) (i32.load (i32.const 20)))`;
    const { outcome } = await evaluate({ imports, handle }, null, { settings: { limit: 3 } });
    expect(outcome).toEqual({ outcome: 'deny', reason: '{"limit":3}' });
  });

  it('selects from the document, and is told why it cannot', async () => {
    const document = '<domain><name>tiny</name></domain>';
    expect((await evaluate(selects('/domain/name'), document)).outcome).toEqual({ outcome: 'deny', reason: 'tiny' });
    const error = async (xpath: string, text: string | null) => (await evaluate(selects(xpath), text)).outcome;
    expect(await error('/domain/name', null)).toEqual({ outcome: 'deny', reason: '0' });
    expect(await error('/domain/name', 'no')).toEqual({ outcome: 'deny', reason: '1' });
    expect(await error('///', document)).toEqual({ outcome: 'deny', reason: '2' });
    expect(await error('//b', `<a>${'<b/>'.repeat(bounds.selectNodes + 1)}</a>`)).toEqual({
      outcome: 'deny',
      reason: '3',
    });
  });

  it('logs, and what is above the bound is counted', async () => {
    const handle = `(local $i i32)
      (loop $l
        (call $write (i32.const 2) (i32.const 1024) (i32.const 2))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const ${bounds.logLines + 5}))))
      (i32.const 0)`;
    const { logs } = await evaluate({ imports, fields: '(data (i32.const 1024) "hi")', handle });
    expect(logs).toHaveLength(bounds.logLines + 1);
    expect(logs[0]).toEqual({ level: 'warn', message: 'hi' });
    expect(logs.at(-1)?.message).toBe(`5 more messages were dropped, ${bounds.logLines} are kept`);
  });

  it('starts from nothing at each event', async () => {
    const handle = `(i32.store (i32.const 32) (i32.add (i32.load (i32.const 32)) (i32.const 1)))
      (call $outcome (i32.gt_u (i32.load (i32.const 32)) (i32.const 1)) (i32.const 0) (i32.const 0))`;
    const loaded = await guest({ handle });
    for (let i = 0; i < 5; i += 1) {
      if (i === 2) await loaded.prepare();
      expect((await loaded.evaluate(hookCall())).outcome).toEqual({ outcome: 'allow' });
    }
  });

  it('has one memory for one event after the other, and none of it shows', async () => {
    const loaded = await guest(keeping);
    const seen = memoriesSeen();
    const fuel = new Set<number | null>();
    for (let event = 0; event < 5; event += 1) {
      const { outcome, fuel: spent } = await loaded.evaluate(hookCall());
      expect(outcome).toEqual({ outcome: 'allow' });
      fuel.add(spent);
    }
    expect(fuel.size).toBe(1);
    expect(seen()).toBe(1);
  });

  it('gives a memory that has grown, or in which a plugin has trapped, to nobody else', async () => {
    const size = '(call $outcome (i32.sub (memory.size) (i32.const 3)) (i32.const 0) (i32.const 0))';
    const trapped = await guest({ handle: 'unreachable' });
    const grown = await guest({ handle: `(drop (memory.grow (i32.const 1))) ${size}` });
    const seen = memoriesSeen();
    for (let event = 0; event < 3; event += 1) {
      expect((await grown.evaluate(hookCall())).outcome).toEqual({ outcome: 'allow' });
    }
    expect(seen()).toBe(3);
    for (let event = 0; event < 3; event += 1) await failureFrom(trapped.evaluate(hookCall()));
    expect(seen()).toBe(6);
  });

  it('takes the same fuel in every run, on an instance made ahead or not', async () => {
    const loaded = await guest(selects('/domain/name'));
    const counted = new Set<number | null>();
    for (let i = 0; i < 20; i += 1) {
      if (i % 2 === 0) await loaded.prepare();
      counted.add((await loaded.evaluate(hookCall('<domain><name>tiny</name></domain>'))).fuel);
    }
    expect([...counted]).toHaveLength(1);
    expect([...counted][0]).toBeGreaterThan(0);
  });

  it('makes instances ahead, uses them up and lets them go', async () => {
    const loaded = await guest({ handle: '(i32.const 0)' });
    expect([await loaded.prepare(), await loaded.prepare(), loaded.warm]).toEqual([true, true, 2]);
    await loaded.evaluate(hookCall());
    expect(loaded.warm).toBe(1);
    loaded.shrink(0);
    expect(loaded.warm).toBe(0);
    expect((await loaded.evaluate(hookCall())).outcome).toEqual({ outcome: 'allow' });
  });

  it('traps', async () => {
    const failure = await failureFrom(evaluate({ handle: 'unreachable' }));
    expect(failure).toMatchObject({ code: 'handler-failed', failure: 'trap' });
    expect(failure.message).toContain('unreachable');
    expect(failure.fuel).toBeGreaterThan(0);
  });

  it('ends an endless loop when the fuel is used up', async () => {
    const failure = await failureFrom(evaluate(endless));
    expect(failure).toMatchObject({ failure: 'out-of-fuel', fuel: guestLimits.fuel });
    expect(failure.message).toBe('the plug-in used all of its 1000000 steps');
  });

  it('ends an endless start function the same way, and making instances ahead never throws', async () => {
    const loaded = await guest({ fields: '(func $s (loop $l (br $l))) (start $s)', handle: '(i32.const 0)' });
    expect(await loaded.prepare()).toBe(false);
    expect(await failureFrom(loaded.evaluate(hookCall()))).toMatchObject({
      failure: 'out-of-fuel',
      fuel: guestLimits.fuel,
    });
  });

  it('is out of memory when it traps because a memory could not grow', async () => {
    const grow = '(if (i32.eq (memory.grow (i32.const 10)) (i32.const -1)) (then unreachable))';
    const failure = await failureFrom(evaluate({ handle: `(loop $l ${grow} (br $l)) (unreachable)` }));
    expect(failure).toMatchObject({ failure: 'out-of-memory' });
    expect(failure.message).toBe('the plug-in needs more than its 4194304 bytes of memory');
  });

  it('may go on when a memory could not grow', async () => {
    const handle = '(drop (memory.grow (i32.const 1000))) (i32.const 0)';
    expect((await evaluate({ handle })).outcome).toEqual({ outcome: 'allow' });
  });

  it('traps without a count when the stack overflows', async () => {
    const source = { fields: '(func $f (result i32) (i32.add (call $f) (i32.const 1)))', handle: '(call $f)' };
    const limits = { fuel: 1_000_000_000 };
    expect(await failureFrom(evaluate(source, null, { limits }))).toMatchObject({ failure: 'trap', fuel: null });
  });

  it('breaks the contract with an answer that is no outcome', async () => {
    for (const handle of [
      '(call $outcome (i32.const 7) (i32.const 0) (i32.const 0))',
      '(call $outcome (i32.const 1) (i32.const 0) (i32.const -1))',
    ]) {
      expect(await failureFrom(evaluate({ handle }))).toMatchObject({ failure: 'protocol' });
    }
  });

  it('is not given a document that is too large or not UTF-8', async () => {
    const allow = { handle: '(i32.const 0)' };
    const large = Buffer.alloc(bounds.documentBytes + 1, ' ');
    expect(await failureFrom(evaluate(allow, large))).toMatchObject({ failure: 'document' });
    const failure = await failureFrom(evaluate(allow, Buffer.from([0x3c, 0xff])));
    expect(failure.message).toBe('the document is not valid UTF-8');
  });

  it('objects to its settings', async () => {
    const fields = `(data (i32.const 1024) "no limit")
      (func (export "hookvisor:hook/configurable@0.1.0#validate") (result i32)
        (call $json (i32.const 16))
        (i32.store8 (i32.const 0) (i32.eq (i32.load (i32.const 20)) (i32.const 2)))
        (i32.store (i32.const 4) (i32.const 1024)) (i32.store (i32.const 8) (i32.const 8)) (i32.const 0))`;
    const source = { imports, fields, handle: '(i32.const 0)', world: 'configurable-hook-handler' } as const;
    expect(await (await guest(source)).validate()).toBe('no limit');
    expect(await (await guest(source, { settings: { limit: 1 } })).validate()).toBeNull();
    expect(await (await guest({ handle: 'unreachable' })).validate()).toBeNull();
  });
});
