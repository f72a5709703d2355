import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadComponent } from '../../src/runner/component.js';
import { loadExtism } from '../../src/runner/extism.js';
import { HookvisorError } from '../../src/contract/errors.js';
import { HandlerFailure } from '../../src/contract/outcome.js';
import { admitPlugin } from '../../src/admission/admit.js';
import { componentBytes, extismWat, guestLimits, hookCall, moduleBytes } from '../support/plugins.js';
import { samplePlugin } from '../support/runtime.js';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';
import { mutate, type Mutation, mutations } from './mutate.js';

const limits = { ...guestLimits, fuel: 100_000 };
const options = { memoryBytes: limits.memoryBytes };

/** What it may end in, and nothing else: an artefact, or an error that says what is wrong with the plugin. */
async function admitted(backend: 'component' | 'extism', bytes: Buffer) {
  try {
    return await admitPlugin(bytes, { backend, ...options });
  } catch (error) {
    if (error instanceof HookvisorError && /^plugin-(?:refused|invalid)$/u.test(error.code)) return null;
    throw error;
  }
}

/** Admits a changed plugin, loads it and lets it decide an event. */
async function tryPlugin(backend: 'component' | 'extism', bytes: Buffer): Promise<void> {
  const artefact = await admitted(backend, bytes);
  if (artefact === null) return;
  const load = backend === 'component' ? loadComponent : loadExtism;
  try {
    const guest = await load({ artefact, settings: '{}', limits });
    const { fuel } = await guest.evaluate(hookCall('<domain/>'));
    expect(fuel).toBeLessThanOrEqual(limits.fuel);
  } catch (error) {
    if (error instanceof HandlerFailure) expect(error.fuel ?? 0).toBeLessThanOrEqual(limits.fuel);
    else if (!(error instanceof HookvisorError && error.code === 'plugin-invalid')) throw error;
  }
}

const loops = extismWat('{"outcome":"allow"}', {
  fields: `(table 4 funcref) (elem (i32.const 0) $to_host) (global $g (mut i32) (i32.const 3))
    (func $work (param i32) (result i32 i32)
      (loop $again
        (memory.fill (i32.const 64) (i32.const 1) (local.get 0))
        (memory.copy (i32.const 64) (i32.const 128) (local.get 0))
        (drop (memory.grow (i32.const 0)))
        (drop (table.grow (ref.null func) (i32.const 1)))
        (global.set $g (i32.sub (global.get $g) (i32.const 1)))
        (br_if $again (global.get $g)))
      (global.get $g) (local.get 0))`,
  before: '(drop (drop (call $work (i32.const 32))))',
});

const inputs = (bases: readonly Buffer[]) => fc.record({ base: fc.nat(bases.length - 1), changes: mutations });

async function changed(backend: 'component' | 'extism', bases: readonly Buffer[]): Promise<void> {
  for (const base of bases) expect(await admitted(backend, base)).not.toBeNull();
  const bytesOf = ({ base, changes }: { base: number; changes: Mutation[] }): Buffer =>
    mutate(bases[base] ?? Buffer.alloc(0), changes);
  await fuzz({
    name: `${backend}-plugins`,
    inputs: inputs(bases),
    holds: (input) => tryPlugin(backend, bytesOf(input)),
    save: bytesOf,
  });
}

describe('a plugin whose bytes were changed', () => {
  it(
    'for Extism is refused, or runs within its limits',
    async () => {
      await changed('extism', [
        await moduleBytes(extismWat('{"outcome":"allow"}')),
        await moduleBytes(loops),
        readFileSync(samplePlugin('quota')),
      ]);
    },
    fuzzTimeoutMs,
  );

  it(
    'as a component is refused, or runs within its limits',
    async () => {
      await changed('component', [
        await componentBytes({ handle: '(call $outcome (i32.const 0) (i32.const 0) (i32.const 0))' }),
        readFileSync(samplePlugin('tiny-allow')),
      ]);
    },
    fuzzTimeoutMs,
  );
});
