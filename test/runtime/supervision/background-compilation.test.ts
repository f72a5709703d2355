import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { defaultLimits } from '../../../src/contract/limits.js';
import { extismWat, moduleBytes } from '../../support/plugins.js';
import { handlerConfig, hookCall, openSandbox } from '../../support/sandbox.js';

/** V8's optimizing compiler takes more than the default deadline for them, on each of its versions. */
const loops = 4_000;
const rounds = 8;
const events = 30;

it('a handler does not wait until V8 has compiled a huge function of another one in its trust group', async () => {
  await using opened = await openSandbox();
  const source = join(opened.folder, 'slow-to-compile.wasm');
  await writeFile(source, await slowToCompile());
  const limits = { ...defaultLimits, deadlineMs: 60_000 };
  const good = await opened.sandbox.backend('component').load(handlerConfig({ name: 'good', limits }));
  const hostile = await opened.sandbox.backend('extism').load(handlerConfig({ name: 'hostile', source, limits }));
  let worstMs = 0;
  for (let round = 0; round < rounds; round += 1) {
    // Its loops do not end, so V8 finds them worth compiling in full, and does so beside the events that follow.
    await expect(hostile.evaluate(hookCall())).rejects.toMatchObject({ failure: 'out-of-fuel' });
    for (let event = 0; event < events; event += 1) {
      const began = performance.now();
      expect((await good.evaluate(hookCall())).outcome).toEqual({ outcome: 'allow' });
      worstMs = Math.max(worstMs, performance.now() - began);
    }
  }
  expect(opened.sandbox.status().runners).toHaveLength(1);
  expect(opened.sandbox.status().runners[0]?.restarts).toBe(0);
  process.stdout.write(`the slowest event beside V8's compiler took ${worstMs.toFixed(0)} ms\n`);
  expect(worstMs).toBeLessThan(defaultLimits.deadlineMs / 2);
}, 120_000);

/** An Extism plugin with one function of many loops, the first of which has no end. */
function slowToCompile(): Promise<Buffer> {
  const names = Array.from({ length: 50 }, (_, at) => `$l${at}`);
  const locals = names.map((name) => `(local ${name} i32)`).join(' ');
  const code = Array.from({ length: loops }, (_, at) => {
    const name = names[at % names.length] ?? '';
    return `(loop $again${at} (br_if $again${at} (local.tee ${name} (i32.sub (local.get ${name}) (i32.const 1)))))`;
  });
  const fields = `(func $big ${locals} ${code.join('\n')})`;
  return moduleBytes(extismWat('{"outcome":"allow"}', { fields, before: '(call $big)' }));
}
