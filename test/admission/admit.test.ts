import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { componentEmbed, componentNew } from '@bytecodealliance/jco';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { admitPlugin } from '../../src/admission/admit.js';
import { componentBytes, extismWat, failureFrom, hookCall, loadGuest, moduleBytes } from '../support/plugins.js';

const memoryBytes = 64 * 1024 * 1024;
const sample = (name: string): Promise<Buffer> => readFile(join(packageRoot, 'plugins', name, 'build', `${name}.wasm`));

/** A component for a world of its own, whose `handle` takes and gives a number. */
async function otherTypes(): Promise<Buffer> {
  const binary = await moduleBytes(
    '(module (func (export "hookvisor:hook/handler@0.1.0#handle") (param i32) (result i32) (local.get 0)))',
  );
  const witSource =
    'package hookvisor:hook@0.1.0; interface handler { handle: func(a: u32) -> u32; } world w { export handler; }';
  return Buffer.from(await componentNew(await componentEmbed({ binary, witSource, world: 'w' }), []));
}

describe('admitPlugin', () => {
  it('gives a plan and core modules for a component, the same each time', async () => {
    const bytes = await componentBytes({ handle: '(i32.const 0)' });
    const artefact = await admitPlugin(bytes, { backend: 'component', memoryBytes });
    expect(artefact).toMatchObject({ backend: 'component', validates: false });
    expect(artefact.digest).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(artefact.modules.map(({ name }) => name)).toContain('module0');
    expect(await admitPlugin(bytes, { backend: 'component', memoryBytes })).toEqual(artefact);
  });

  it('gives one module for an Extism plugin', async () => {
    const artefact = await admitPlugin(await moduleBytes(extismWat('{}')), { backend: 'extism', memoryBytes });
    expect(artefact).toMatchObject({ backend: 'extism', assembly: { kind: 'module' }, modules: [{ name: 'main' }] });
  });

  it('refuses a component that uses the names of the world with other types', async () => {
    await expect(admitPlugin(await otherTypes(), { backend: 'component', memoryBytes })).rejects.toMatchObject({
      code: 'plugin-invalid',
      message:
        "Cannot admit the plug-in: its interface 'hookvisor:hook/handler@0.1.0' has different types: 'handle' is func(a: u32) -> u32 instead of func(event: record { id: string, time: u64, kind: string, name: string, event: string, qualifier: string, extra: option<string>, driver: string, uuid: option<string> }) -> variant { allow, deny(string), replace(string) }; build it with the WIT of this release",
    });
  });

  it('makes the sample plugins run', { timeout: 60_000 }, async () => {
    const document = '<domain><name>Bad Name</name><memory unit="KiB">1024</memory><vcpu>64</vcpu></domain>';
    const limits = { memoryBytes, fuel: 50_000_000 };
    const naming = await loadGuest('component', await sample('naming'), {
      settings: { pattern: '^[a-z]+$' },
      limits,
    });
    const call = hookCall(document, { name: 'Bad Name' });
    const first = await naming.evaluate(call);
    expect(first.outcome.outcome).toBe('deny');
    expect(await naming.evaluate(call)).toEqual(first);
    const quota = await loadGuest('extism', await sample('quota'), { settings: { maxVcpus: 4 }, limits });
    expect((await quota.evaluate(call)).outcome).toMatchObject({ outcome: 'deny' });
    const starved = await loadGuest('component', await sample('naming'), { limits: { ...limits, fuel: 100 } });
    expect(await failureFrom(starved.evaluate(call))).toMatchObject({ failure: 'out-of-fuel', fuel: 100 });
  });
});
