import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { detectBackend } from '../../src/admission/vet.js';
import { callOf } from '../../src/testing/call.js';
import { readCases } from '../../src/testing/cases.js';
import type { TestCase } from '../../src/testing/cases.js';
import { admitBothWays, checkOf, endingsOf } from '../support/both-ways.js';
import { captures } from '../support/captures.js';
import { hookvisor } from '../support/command.js';
import { guestsIn, hostileCrowd, lonelyGuest } from '../support/hostile.js';
import { componentBytes, hookCall } from '../support/plugins.js';
import { temporaryFolder } from '../support/temp.js';

/** Room for what the hostile guests fill. */
const memoryBytes = 128 * 1_024 * 1_024;
const document = '<domain><name>tiny</name><uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid></domain>';

const built = (name: string): string => join(packageRoot, 'plugins', name, 'build', `${name}.wasm`);
const samples = readdirSync(join(packageRoot, 'plugins')).filter(
  (name) => existsSync(built(name)) && detectBackend(readFileSync(built(name))) === 'component',
);

/** Cases by what has to be loaded for them. */
function bySettings(cases: readonly TestCase[]): TestCase[][] {
  const groups = new Map<string, TestCase[]>();
  for (const one of cases) {
    const key = JSON.stringify([one.settings, one.limits.fuel]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

/** Goes through the cases of a plugin, and through recorded calls with the settings of each. */
async function decidesAlike(bytes: Buffer, folder: string): Promise<void> {
  const { cases } = await readCases(join(folder, 'cases.yaml'));
  const load = await admitBothWays(bytes);
  const recorded = captures.filter((_, at) => at % 10 === 0);
  for (const group of bySettings(cases)) {
    const { settings = {}, limits = {} } = group[0] ?? {};
    const both = await load({ settings, ...(limits.fuel !== undefined && { limits: { fuel: limits.fuel } }) });
    expect(await checkOf(both.planned)).toEqual(await checkOf(both.glued));
    const calls = [
      ...group.map(({ call }) => call),
      ...recorded.map(({ driver, argv, stdin }) => ({ driver, argv, document: stdin })),
    ];
    for (const call of calls) {
      const [planned, glued] = await endingsOf(both, callOf(call));
      expect({ call, ...planned }).toEqual({ call, ...glued });
    }
  }
}

describe('a component by its plan and by jco', () => {
  it('is told the same, and answers the same', async () => {
    const imports = `
      (import "hookvisor:hook/settings@0.1.0" "json" (func $json (param i32)))
      (import "hookvisor:hook/document@0.1.0" "text" (func $text (param i32)))
      (import "hookvisor:hook/document@0.1.0" "select" (func $select (param i32 i32 i32)))
      (import "hookvisor:hook/log@0.1.0" "write" (func $write (param i32 i32 i32)))`;
    const handle = `
      (call $json (i32.const 16))
      (call $write (i32.const 1) (i32.load (i32.const 16)) (i32.load (i32.const 20)))
      (call $select (i32.const 1024) (i32.const 6) (i32.const 16))
      (call $write (i32.const 2) (i32.load (i32.load (i32.const 20))) (i32.load offset=4 (i32.load (i32.const 20))))
      (call $select (i32.const 1024) (i32.const 3) (i32.const 16))
      (call $write (i32.const 3) (i32.load (i32.const 24)) (i32.load (i32.const 28)))
      (call $text (i32.const 16))
      (call $write (i32.const 0) (i32.load (i32.const 20)) (i32.load (i32.const 24)))
      ;; A byte of the event as it lies in memory.
      (call $write (i32.const 0) (local.get $event) (i32.const 1))
      (call $outcome (i32.const 1) (i32.load offset=24 (local.get $event)) (i32.load offset=28 (local.get $event)))`;
    const fields = '(data (i32.const 1024) "//name")';
    const load = await admitBothWays(await componentBytes({ imports, fields, handle }));
    const both = await load({ settings: { a: '\u20ac' } });
    for (const changes of [{ extra: '', uuid: 'x' }, { name: '' }, { name: 'half a \ud800' }]) {
      const [planned, glued] = await endingsOf(both, hookCall(document, { name: 'Tiny \u00e9\ufeff', ...changes }));
      expect(planned.said).toMatch(/^deny/u);
      expect(planned.logs).toHaveLength(5);
      expect(planned).toEqual(glued);
    }
  });

  it.each(samples)('decides its cases and recorded calls alike: %s', { timeout: 120_000 }, async (name) => {
    await decidesAlike(readFileSync(built(name)), join(packageRoot, 'plugins', name));
  });

  it.for(['ts', 'c', 'rust', 'go', 'wat'])(
    'decides the cases of a new project alike: %s',
    { timeout: 180_000 },
    async (language, ctx) => {
      const folder = join(temporaryFolder(), 'fresh');
      await hookvisor('new', folder, '--language', language);
      const { status, out, err } = await hookvisor('build', folder);
      if (status === 2) ctx.skip(err);
      expect({ status, out, err }).toMatchObject({ status: 0 });
      await decidesAlike(readFileSync(join(folder, 'build', 'fresh.wasm')), folder);
    },
  );
});

describe('a hostile component by its plan and by jco', () => {
  it('ends the same way, many guests in one', { timeout: 120_000 }, async () => {
    const crowd = await hostileCrowd('component');
    const both = await (await admitBothWays(crowd.bytes, memoryBytes))({ settings: { large: 'x'.repeat(10_000) } });
    const guests = [...guestsIn('both'), ...guestsIn('component')];
    const different: unknown[] = [];
    for (const guest of guests) {
      const [planned, glued] = await endingsOf(both, hookCall(document, { id: crowd.idOf(guest) }));
      if (JSON.stringify(planned) !== JSON.stringify(glued)) different.push({ guest, planned, glued });
    }
    expect(different).toEqual([]);
    expect(guests.length).toBeGreaterThan(50);
  });

  it.each([...guestsIn('both/alone'), ...guestsIn('component/alone')])(
    'ends the same way: %s',
    { timeout: 60_000 },
    async (guest) => {
      const both = await (await admitBothWays(await lonelyGuest('component', guest), memoryBytes))();
      expect(await checkOf(both.planned)).toEqual(await checkOf(both.glued));
      const [planned, glued] = await endingsOf(both, hookCall(document));
      // jco lets a plugin ask the host while that asks it for room; the component model does not.
      if (guest === 'realloc-reenters') {
        expect(planned.message).toBe('the plug-in trapped: cannot leave component instance');
        expect(glued.message).toBe('the plug-in trapped: call stack exhausted');
      } else expect(planned).toEqual(glued);
    },
  );
});
