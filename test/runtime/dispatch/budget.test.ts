import { afterAll, describe, expect, it } from 'vitest';
import { createScriptBackend } from '../../../src/runtime/scripts/script.js';
import { createBudget, type Allowance, type Budget } from '../../../src/runtime/dispatch/budget.js';
import { runChain } from '../../../src/runtime/dispatch/chain.js';
import type { HookEvent } from '../../../src/contract/event.js';
import { defaultLimits } from '../../../src/contract/limits.js';
import { configOf, eventOf, handlerOf } from '../../support/handlers.js';
import { temporaryFolder, writeScript } from '../../support/temp.js';

const scripts = createScriptBackend();

const uuid = 'c7a5fdbd-edaf-9455-926a-d65c16db1809';

afterAll(() => scripts[Symbol.asyncDispose]());

/** A budget of 1000 ms on a clock that moves only when told. */
function counted(): {
  budget: Budget;
  wait: (ms: number) => void;
  /** What was left before an event whose handlers take so long. */
  take: (ms: number, event: Partial<HookEvent>) => number | null;
} {
  let clock = 5;
  const wait = (ms: number): void => {
    clock += ms;
  };
  const budget = createBudget({ totalMs: 1_000, now: () => clock });
  const take = (ms: number, event: Partial<HookEvent>): number | null => {
    const { allowance, end } = budget.begin(eventOf({ uuid, ...event }));
    const left = allowance?.leftMs() ?? null;
    wait(ms);
    end();
    return left;
  };
  return { budget, wait, take };
}

describe('the budget of a start', () => {
  it('is shared by prepare, start and started, and not by what lies between them', () => {
    const { take, wait } = counted();
    expect(take(300, { event: 'prepare' })).toBe(1_000);
    wait(10_000);
    expect(take(300, { event: 'start' })).toBe(700);
    expect(take(300, { event: 'started' })).toBe(400);
  });

  it.each(['restore', 'migrate'])('counts %s with the start that follows it', (first) => {
    const { take } = counted();
    take(400, { event: first });
    expect(take(0, { event: 'prepare' })).toBe(600);
  });

  it.each(['started', 'stopped', 'release'])('is whole again after %s', (last) => {
    const { take } = counted();
    take(400, { event: 'prepare' });
    take(0, { event: last });
    expect(take(0, { event: 'start' })).toBe(1_000);
  });

  it('is whole again at the next prepare, when libvirtd was killed in the middle of the start before', () => {
    const { take } = counted();
    take(900, { event: 'prepare' });
    expect(take(0, { event: 'prepare' })).toBe(1_000);
  });

  it('belongs to one guest of one driver', () => {
    const { take } = counted();
    take(900, { event: 'prepare' });
    expect(take(0, { event: 'start', driver: 'lxc' })).toBe(1_000);
    expect(take(0, { event: 'start', uuid: uuid.replace('c7', 'c8') })).toBe(1_000);
    expect(take(0, { event: 'start' })).toBe(100);
  });

  it('does not hold for events of networks, of daemons, without a UUID, or of a guest that runs', () => {
    const { take } = counted();
    expect(take(0, { event: 'port-created', driver: 'network', kind: 'network' })).toBeNull();
    expect(take(0, { event: 'start', driver: 'daemon', kind: 'daemon' })).toBeNull();
    expect(take(0, { event: 'prepare', uuid: null })).toBeNull();
    expect(take(0, { event: 'reconnect' })).toBeNull();
  });

  it('is forgotten a quarter of an hour after the last event', () => {
    const { take, wait } = counted();
    take(900, { event: 'prepare' });
    wait(15 * 60_000 + 1);
    expect(take(0, { event: 'start' })).toBe(1_000);
  });

  it('goes down while the handlers of an event work', () => {
    const { budget, wait } = counted();
    const { allowance } = budget.begin(eventOf({ uuid, event: 'prepare' }));
    wait(200);
    expect(allowance?.leftMs()).toBe(800);
    wait(900);
    expect(allowance?.leftMs()).toBe(0);
  });
});

describe('a chain under a budget', () => {
  const allowance = (leftMs: number): Allowance => ({ totalMs: 1_000, leftMs: () => leftMs });
  const checkReplacement = (): null => null;

  it('does not ask a handler when nothing is left, and says that it was the budget', async () => {
    let asked = false;
    const handler = handlerOf({ name: 'late' }, () => {
      asked = true;
      return { outcome: 'allow' };
    });
    const call = { event: eventOf({ uuid }), document: null };
    const { verdict } = await runChain({ call, handlers: [handler], checkReplacement, allowance: allowance(0) });
    expect(asked).toBe(false);
    expect(verdict).toMatchObject({ answered: 'deny', handlers: [{ handler: 'late', failure: 'deadline' }] });
    expect(verdict.reason).toBe(
      "cannot decide: Cannot ask the handler 'late': the budget of 1000 ms for the start of one guest is exhausted; " +
        "raise 'budget', or find the slow handler in the journal",
    );
  });

  it("cuts a script's deadline to what is left, and blames the budget", async () => {
    const source = await writeScript(temporaryFolder(), 'slow', 'exec sleep 30');
    const config = configOf({ name: 'slow', source, limits: { ...defaultLimits, deadlineMs: 30_000 } });
    const handler = await scripts.load(config);
    const call = { event: eventOf({ uuid }), document: null };
    const handlers = [{ config, handler, fallback: null }];
    const began = Date.now();
    const { verdict } = await runChain({ call, handlers, checkReplacement, allowance: allowance(200) });
    expect(Date.now() - began).toBeLessThan(15_000);
    expect(verdict.handlers[0]).toMatchObject({ failure: 'deadline', outcome: null });
    expect(verdict.reason).toContain("Cannot wait for the handler 'slow': after 200 ms the budget of 1000 ms");
  });

  it("leaves a deadline alone that is shorter, and blames the script's deadline then", async () => {
    const source = await writeScript(temporaryFolder(), 'slow', 'exec sleep 30');
    const config = configOf({ name: 'slow', source, limits: { ...defaultLimits, deadlineMs: 100 } });
    const handler = await scripts.load(config);
    const call = { event: eventOf({ uuid }), document: null };
    const handlers = [{ config, handler, fallback: null }];
    const { verdict } = await runChain({ call, handlers, checkReplacement, allowance: allowance(20_000) });
    expect(verdict.reason).toContain('did not finish within 100 ms');
  });
});
