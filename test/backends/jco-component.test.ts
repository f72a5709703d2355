import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadComponent } from '../../src/backends/component.js';
import type { Evaluation } from '../../src/outcome.js';
import { packageRoot } from '../../src/paths.js';
import { admitPlugin } from '../../src/sandbox/admit.js';
import { transpileComponent } from '../../src/sandbox/transpile.js';
import { componentBytes, guestLimits, hookCall } from '../support/plugins.js';

const limits = { ...guestLimits, fuel: 50_000_000, memoryBytes: 64 * 1_024 * 1_024 };
const document = '<domain><name>tiny</name><uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid></domain>';

/** What a component does for one event when it is put together from its plan, and from jco's glue. */
async function bothWays(bytes: Buffer, settings: object): Promise<Evaluation[]> {
  const artefact = await admitPlugin(bytes, { backend: 'component', memoryBytes: limits.memoryBytes });
  const { glue } = await transpileComponent(bytes);
  expect([artefact.glue.slice(0, 1), glue.includes('export function instantiate(')]).toEqual(['{', true]);
  const done: Evaluation[] = [];
  for (const one of [artefact, { ...artefact, glue }]) {
    const guest = await loadComponent({ artefact: one, settings: JSON.stringify(settings), limits });
    expect(await guest.validate()).toBeNull();
    done.push(await guest.evaluate(hookCall(document, { name: 'Tiny \u00e9\ufeff', extra: '', uuid: 'x' })));
  }
  return done;
}

describe('jcoComponent', () => {
  it('gives the outcome, the fuel and the logs that a plan gives', async () => {
    const imports = `
      (import "hookvisor:hook/settings@0.1.0" "json" (func $json (param i32)))
      (import "hookvisor:hook/document@0.1.0" "text" (func $text (param i32)))
      (import "hookvisor:hook/document@0.1.0" "select" (func $select (param i32 i32 i32)))
      (import "hookvisor:hook/log@0.1.0" "write" (func $write (param i32 i32 i32)))`;
    const handle = `(local $at i32)
      (call $json (i32.const 16))
      (call $write (i32.const 1) (i32.load (i32.const 16)) (i32.load (i32.const 20)))
      (call $select (i32.const 1024) (i32.const 6) (i32.const 16))
      (call $write (i32.const 2) (i32.load (i32.load (i32.const 20))) (i32.load offset=4 (i32.load (i32.const 20))))
      (call $select (i32.const 1024) (i32.const 3) (i32.const 16))
      (call $write (i32.const 3) (i32.load (i32.const 24)) (i32.load (i32.const 28)))
      (call $text (i32.const 16))
      (call $write (i32.const 0) (i32.load (i32.const 20)) (i32.load (i32.const 24)))
      ;; All of the event as it lies in memory.
      (call $write (i32.const 0) (local.get $event) (i32.const 1))
      (call $outcome (i32.const 1) (i32.load offset=24 (local.get $event)) (i32.load offset=28 (local.get $event)))`;
    const fields = '(data (i32.const 1024) "//name")';
    const [planned, glued] = await bothWays(await componentBytes({ imports, fields, handle }), { a: '\u20ac' });
    expect(planned?.outcome).toEqual({ outcome: 'deny', reason: 'Tiny \u00e9\ufeff' });
    expect(planned?.logs).toHaveLength(5);
    expect(planned).toEqual(glued);
  });

  it.each([
    ['naming', { pattern: '^web-' }],
    ['required-metadata', { title: true }],
  ])(
    'gives what a plan gives for the sample plugin %s',
    async (name, settings) => {
      const [planned, glued] = await bothWays(
        readFileSync(join(packageRoot, 'plugins', name, 'build', `${name}.wasm`)),
        settings,
      );
      expect(planned?.fuel).toBeGreaterThan(1_000);
      expect(planned?.outcome.outcome).toBe('deny');
      expect(planned).toEqual(glued);
    },
    60_000,
  );
});
