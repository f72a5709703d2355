import { describe, expect, it } from 'vitest';
import { componentize } from 'componentize-qjs';
import { join } from 'node:path';
import { packageRoot } from '../../src/shared/paths.js';
import { admitPlugin } from '../../src/admission/admit.js';
import { errorOf } from '../support/sandbox.js';
import { failureFrom, hookCall, loadGuest, moduleBytes } from '../support/plugins.js';

const limits = { fuel: 50_000_000, memoryBytes: 64 * 1024 * 1024 };

/** A guest in JavaScript that denies with what an expression gives. */
async function evaluating(expression: string) {
  const { component } = await componentize({
    witPath: join(packageRoot, 'wit'),
    jsSource: `export const handler = { handle(event) { return { tag: 'deny', val: String(${expression}) }; } };`,
    world: 'hook-handler',
    sync: true,
    stubWasi: true,
    optSize: true,
  });
  return loadGuest('component', Buffer.from(component), { limits });
}

describe('a guest', () => {
  it('has no clock to import', async () => {
    const bytes = await moduleBytes(`(module
      (import "wasi_snapshot_preview1" "clock_time_get" (func (param i32 i64 i32) (result i32)))
      (memory (export "memory") 1) (func (export "handle") (result i32) (i32.const 0)))`);
    const error = await errorOf(admitPlugin(bytes, { backend: 'extism', memoryBytes: limits.memoryBytes }));
    expect(error.code).toBe('plugin-refused');
    expect(error.message).toContain('wasi_snapshot_preview1');
  });

  it('in JavaScript has the same random numbers at each event, and no other source of them', async () => {
    const guest = await evaluating(`[Math.random(), Math.random(), typeof crypto, typeof setTimeout].join(' ')`);
    const [first, second] = [await guest.evaluate(hookCall()), await guest.evaluate(hookCall())];
    expect(first.outcome).toMatchObject({
      reason: expect.stringMatching(/^0\.\d+(?:e-\d+)? 0\.\d+(?:e-\d+)? undefined undefined$/u) as unknown,
    });
    expect(second).toEqual(first);
  });

  it('in JavaScript that reads the clock traps, and the event time is there instead', async () => {
    const guest = await evaluating('event.name === "clock" ? Date.now() : new Date(Number(event.time)).toISOString()');
    const failure = await failureFrom(guest.evaluate(hookCall(null, { name: 'clock' })));
    expect(failure.failure).toBe('trap');
    expect((await failureFrom(guest.evaluate(hookCall(null, { name: 'clock' })))).fuel).toBe(failure.fuel);
    const { outcome } = await guest.evaluate(hookCall());
    expect(outcome).toEqual({ outcome: 'deny', reason: '2023-11-14T22:13:20.000Z' });
  });
});
