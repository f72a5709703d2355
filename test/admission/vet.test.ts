import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HookvisorError } from '../../src/contract/errors.js';
import { packageRoot } from '../../src/shared/paths.js';
import { examine, vetComponent, vetCore, vetExtism } from '../../src/admission/vet.js';
import { componentBytes, extismWat, moduleBytes } from '../support/plugins.js';

const options = { memoryBytes: 4 * 1024 * 1024 };

async function errorOf(vet: () => Promise<unknown>): Promise<HookvisorError> {
  const thrown: unknown = await vet().then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof HookvisorError) return thrown;
  throw new Error('expected a HookvisorError', { cause: thrown });
}
const componentError = (wat: string) => errorOf(async () => vetComponent(await moduleBytes(wat), options));
const extismError = (wat: string) => errorOf(async () => vetExtism(await moduleBytes(wat), options));
const coreError = (wat: string) => errorOf(async () => vetCore(await moduleBytes(wat), options));
const bytesError = (bytes: Buffer, vet: typeof vetComponent | typeof vetExtism) =>
  errorOf(async () => Promise.resolve(vet(bytes, options)));

const handler = `(core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func $f (canon lift (core func $i "f")))
  (instance $h (export "handle" (func $f)))
  (export "hookvisor:hook/handler@0.1.0" (instance $h))`;

describe('vetComponent', () => {
  it('reports what a component imports and exports', async () => {
    const bytes = await componentBytes({ handle: '(i32.const 0)' });
    const report = vetComponent(bytes, options);
    expect(report.exports).toEqual([{ name: 'hookvisor:hook/handler@0.1.0', kind: 'instance' }]);
    expect(report).toMatchObject({ validates: false, concurrent: false });
    expect(report.imports.map(({ name }) => name)).toEqual(['hookvisor:hook/types@0.1.0']);
  });

  it('accepts a component made from JavaScript, whose settings it checks by itself', async () => {
    const bytes = await readFile(join(packageRoot, 'plugins', 'naming', 'build', 'naming.wasm'));
    const report = vetComponent(bytes, { memoryBytes: 64 * 1024 * 1024 });
    expect(report.imports.length).toBeGreaterThan(1);
    expect(report.imports.filter(({ name }) => !name.startsWith('hookvisor:hook/'))).toEqual([]);
    expect(report.coreInstances).toBeGreaterThan(1);
  });

  it('refuses an import by name', async () => {
    for (const name of ['wasi:sockets/tcp@0.2.0', 'hookvisor:hook/document@0.2.0', 'run']) {
      const error = await componentError(`(component (import "${name}" (instance)) ${handler})`);
      expect(error.code).toBe('plugin-refused');
      expect(error.message).toBe(
        `Cannot admit the plug-in: it imports '${name}'; only hookvisor:hook/{document,settings,log,types}@0.1.0 can be imported`,
      );
    }
  });

  it('says that a component is of another world', async () => {
    const error = await componentError('(component)');
    expect(error.code).toBe('plugin-invalid');
    expect(error.message).toBe(
      'Cannot admit the plug-in: it is a component for another world: it lacks the export ' +
        "'hookvisor:hook/handler@0.1.0'; build it for the world hook-handler",
    );
  });

  it('says which backend a core module is for', async () => {
    const error = await componentError('(module)');
    expect(error.code).toBe('plugin-invalid');
    expect(error.message).toContain("it is a core module, not a component; set 'backend: extism'");
  });

  it('refuses asynchronous functions and threads', async () => {
    const error = await componentError(`(component ${handler} (canon task.cancel (core func)))`);
    expect(error.code).toBe('plugin-refused');
    expect(error.message).toContain('asynchronous functions, threads or streams');
  });

  it('refuses too many core instances, in nested components too', async () => {
    const many = (count: number) => `(core module $n) ${'(core instance (instantiate $n))'.repeat(count)}`;
    const error = await componentError(
      `(component ${handler} ${many(40)} (component $c ${many(20)}) ${'(instance (instantiate $c))'.repeat(2)})`,
    );
    expect(error.message).toBe('Cannot admit the plug-in: it instantiates 81 core modules; at most 64 are allowed');
  });

  it('vets core modules in nested components', async () => {
    const error = await componentError(`(component ${handler} (component (core module (memory 100))))`);
    expect(error.message).toContain('it needs at least 6553600 bytes of memory');
  });

  it('says that a file is no WebAssembly, or truncated, wherever it is cut', async () => {
    const bytes = await componentBytes({ handle: '(i32.const 0)' });
    expect((await bytesError(Buffer.from('#!/bin/sh\n'), vetComponent)).message).toBe(
      'Cannot admit the plug-in: it is not WebAssembly; build it again from its source',
    );
    for (const size of [0, 3]) {
      expect((await bytesError(bytes.subarray(0, size), vetComponent)).message).toContain('it is not WebAssembly');
    }
    for (let size = 4; size < bytes.length; size += 97) {
      expect((await bytesError(bytes.subarray(0, size), vetComponent)).code).toBe('plugin-invalid');
    }
    const error = await bytesError(bytes.subarray(0, bytes.length - 1), vetComponent);
    expect(error.message).toBe('Cannot admit the plug-in: the file is truncated; build it again from its source');
  });
});

describe('vetExtism', () => {
  it('accepts a plugin and reports whether it checks its settings', async () => {
    const wat = extismWat('{}', { fields: '(func (export "validate") (result i32) (i32.const 0))' });
    expect(vetExtism(await moduleBytes(wat), options).validates).toBe(true);
    expect(vetExtism(await moduleBytes(extismWat('{}')), options).validates).toBe(false);
  });

  it('refuses imports other than the kernel, and the kernel functions for HTTP', async () => {
    for (const [module, name] of [
      ['wasi_snapshot_preview1', 'fd_write'],
      ['extism:host/env', 'http_request'],
      ['extism:host/env', 'http_status_code'],
      ['extism:host/user', 'x'],
      ['env', 'abort'],
    ]) {
      const error = await extismError(extismWat('{}', { imports: `(import "${module}" "${name}" (func))` }));
      expect(error.code).toBe('plugin-refused');
      expect(error.message).toContain(`it imports '${module}' '${name}'; only Extism's own functions`);
    }
  });

  it('says which export is missing or of another type', async () => {
    const message = async (wat: string) => (await extismError(wat)).message;
    expect(await message('(module (memory (export "memory") 1))')).toContain("it exports no function 'handle'");
    expect(await message('(module (memory (export "memory") 1) (func (export "handle") (param i64)))')).toContain(
      "its export 'handle' is (i64) -> (); an Extism plug-in exports 'handle' as () -> i32",
    );
    expect(await message('(module (func (export "handle") (result i32) (i32.const 0)))')).toContain(
      'exports no memory',
    );
    expect(await message('(component)')).toContain("it is a component, not a core module; set 'backend: component'");
  });
});

describe('vetCore', () => {
  it('refuses memories that no limit covers', async () => {
    expect((await coreError('(module (memory 1 2 shared))')).message).toContain('shared memory');
    expect((await coreError('(module (memory i64 1))')).message).toContain('64-bit memory');
    expect((await coreError('(module (memory 1) (memory 1))')).message).toContain('several memories');
    expect((await coreError('(module (memory 65))')).message).toBe(
      "Cannot admit the plug-in: it needs at least 4259840 bytes of memory; its limit is 4194304; raise the key 'memory' of the handler",
    );
    expect((await coreError('(module (table 1000001 funcref))')).message).toContain('at most 1000000 are allowed');
    expect((await coreError('(module (type (struct)))')).message).toContain(
      "structures of WebAssembly's garbage collection",
    );
  });

  it('refuses to let a plugin reach its own meter', async () => {
    const error = await coreError('(module (import "hookvisor:meter" "fuel" (global (mut i64))))');
    expect(error.message).toBe("Cannot admit the plug-in: it imports from 'hookvisor:meter'; that name is reserved");
  });
});

describe('examine', () => {
  const objections = async (wat: string, backend: 'component' | 'extism' = 'extism') =>
    examine(await moduleBytes(wat), backend, options).objections;

  it('gives every reason, not only the first', async () => {
    const wat = `(module (import "env" "abort" (func)) (import "wasi_snapshot_preview1" "fd_write" (func))
      (memory 1 2 shared) (func (export "handle") (param i64)))`;
    const found = await objections(wat);
    expect(found.map(({ rule }) => rule)).toEqual(['import', 'import', 'memory', 'world', 'world']);
    expect(found.map(({ fields }) => fields['import']).slice(0, 2)).toEqual([
      'env abort',
      'wasi_snapshot_preview1 fd_write',
    ]);
  });

  it.each([
    ['threads', '(memory 1) (func (atomic.fence))'],
    ['relaxed simd', '(func (drop (f32x4.relaxed_min (v128.const i64x2 0 0) (v128.const i64x2 0 0))))'],
    ['exception handling', '(tag $t) (func (throw $t))'],
    ['garbage collection', '(func (drop (ref.i31 (i32.const 0))))'],
    ['function references', '(type $t (func)) (func (param (ref null $t)) (call_ref $t (local.get 0)))'],
  ])("refuses WebAssembly's %s by name", async (feature, fields) => {
    const found = await objections(`(module ${fields})`);
    expect(found.map(({ message }) => message).join()).toMatch(
      new RegExp(`^it uses .*WebAssembly's ${feature}; `, 'u'),
    );
  });

  it.each(['a"b', "a'b", 'a`b', '${b}', 'a\\\\b', 'a\\nb', 'a*/b', 'é', 'x'.repeat(600)])(
    'refuses the name %s wherever it stands',
    async (name) => {
      const written = name.replace('"', '\\"');
      for (const wat of [
        `(module (import "${written}" "f" (func)))`,
        `(module (func (export "${written}")))`,
        `(component (core module $m (func (export "${written}"))) (core instance $i (instantiate $m)))`,
        `(component (core module $m) (core instance $i (instantiate $m (with "${written}" (instance)))))`,
      ]) {
        const backend = wat.startsWith('(component') ? 'component' : 'extism';
        expect((await objections(wat, backend)).map(({ rule }) => rule)).toContain('name');
      }
    },
  );

  it('counts what nested components instantiate as often as they are instantiated', async () => {
    const level = (inside: string) => `(component $c ${inside} ${'(instance (instantiate 0))'.repeat(4)})`;
    const core = '(component (core module $m (memory 1)) (core instance (instantiate $m)))';
    const found = await objections(level(level(level(level(core)))), 'component');
    expect(found.map(({ message }) => message)).toContain('it instantiates 256 core modules; at most 64 are allowed');
    expect(found.map(({ message }) => message).join()).toContain('it needs at least 16777216 bytes of memory');
  });

  it('bounds the memories that may each grow to the limit', async () => {
    const many = (count: number) =>
      objections(
        `(component (core module $m (memory 0)) ${'(core instance (instantiate $m))'.repeat(count)})`,
        'component',
      );
    expect((await many(5)).map(({ message }) => message)).toContain('it has 5 memories; at most 4 are allowed');
    expect((await many(4)).map(({ rule }) => rule)).not.toContain('memory');
  });

  it('bounds what compilers would have to take', async () => {
    const bytes = (wat: string) => objections(`(module ${wat})`);
    const complexity = async (wat: string) => (await bytes(wat)).find(({ rule }) => rule === 'complexity')?.message;
    expect(await complexity(`(func (local ${'i32 '.repeat(5_001)}))`)).toContain('5001 locals in one function');
    expect(await complexity(`(func ${'(block '.repeat(2_001)}${')'.repeat(2_001)})`)).toContain(
      '2001 levels of nested blocks',
    );
    expect(await complexity('(global i32 (i32.const 0))'.repeat(100_001))).toContain('100001 globals');
    expect(await complexity(`(type (func (param ${'i32 '.repeat(500)})))`.repeat(401))).toContain('200500 parameters');
    expect((await bytes('(table 1 funcref)'.repeat(65))).map(({ rule }) => rule)).toContain('table');
  });
});
