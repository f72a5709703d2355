import { describe, expect, it } from 'vitest';
import { componentBytes, extismWat, failureFrom, hookCall, loadGuest, moduleBytes } from '../support/plugins.js';

const limits = { fuel: 10_000_000, deadlineMs: 60_000 };
const document = `<domain><name>tiny</name>${'<disk/>'.repeat(1_000)}</domain>`;

/** A component that makes one host call for ever. */
async function endlessly(imports: string, call: string): Promise<Buffer> {
  return componentBytes({
    imports,
    fields: '(data (i32.const 1024) "//disk")',
    handle: `(loop $l ${call} (br $l)) (i32.const 0)`,
  });
}

const components = {
  'document.select': await endlessly(
    '(import "hookvisor:hook/document@0.1.0" "select" (func $call (param i32 i32 i32)))',
    '(call $call (i32.const 1024) (i32.const 4) (i32.const 2048)) (global.set $free (i32.const 4096))',
  ),
  'document.text': await endlessly(
    '(import "hookvisor:hook/document@0.1.0" "text" (func $call (param i32)))',
    '(call $call (i32.const 2048)) (global.set $free (i32.const 4096))',
  ),
  'settings.json': await endlessly(
    '(import "hookvisor:hook/settings@0.1.0" "json" (func $call (param i32)))',
    '(call $call (i32.const 2048)) (global.set $free (i32.const 4096))',
  ),
  'log.write': await endlessly(
    '(import "hookvisor:hook/log@0.1.0" "write" (func $call (param i32 i32 i32)))',
    '(call $call (i32.const 1) (i32.const 65536) (i32.const 60000))',
  ),
};

describe('fuel for what the host does', () => {
  it.each(Object.entries(components))('ends a million calls of %s', { timeout: 60_000 }, async (_, bytes) => {
    const guest = await loadGuest('component', bytes, { limits });
    expect(await failureFrom(guest.evaluate(hookCall(document)))).toMatchObject({
      failure: 'out-of-fuel',
      fuel: limits.fuel,
    });
  });

  it('ends a flood of logs of an Extism plugin', async () => {
    const wat = extismWat('{}', {
      imports: '(import "extism:host/env" "log_info" (func $log (param i64)))',
      before:
        '(local $block i64) (local.set $block (call $alloc (i64.const 60000))) (loop $l (call $log (local.get $block)) (br $l))',
    });
    const guest = await loadGuest('extism', await moduleBytes(wat), { limits });
    expect(await failureFrom(guest.evaluate(hookCall()))).toMatchObject({ failure: 'out-of-fuel' });
  });

  it('costs the same each time, and more for a larger document', async () => {
    const once = await componentBytes({
      imports: '(import "hookvisor:hook/document@0.1.0" "text" (func $call (param i32)))',
      handle: '(call $call (i32.const 2048)) (i32.const 0)',
    });
    const guest = await loadGuest('component', once, { limits });
    const fuelOf = async (text: string): Promise<number> => (await guest.evaluate(hookCall(text))).fuel ?? 0;
    const small = await fuelOf('<domain/>');
    expect(await fuelOf('<domain/>')).toBe(small);
    expect((await fuelOf(document)) - small).toBeGreaterThan(document.length / 2);
  });
});
