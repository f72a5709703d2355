import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/shared/paths.js';
import { admitPlugin } from '../../../src/admission/admit.js';
import { translateComponent } from '../../../src/admission/translation/translator.js';
import { composed, nested } from '../../support/composed.js';
import { componentBytes, moduleBytes } from '../../support/plugins.js';
import { passesText } from '../../support/other-worlds.js';

const memories = (wasm: Buffer): number =>
  WebAssembly.Module.imports(new WebAssembly.Module(wasm)).filter(({ kind }) => kind === 'memory').length;

describe('the translator', () => {
  it('imports nothing, and has a memory that ends', () => {
    const module = new WebAssembly.Module(readFileSync(join(packageRoot, 'dist', 'component-translator.wasm')));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const { memory } = new WebAssembly.Instance(module).exports;
    if (!(memory instanceof WebAssembly.Memory)) throw new Error('it has no memory');
    expect(() => memory.grow(16_384)).toThrow(RangeError);
  });

  it('is the one that native/ has, and names no folder of the machine that built it', () => {
    const built = readFileSync(join(packageRoot, 'dist', 'component-translator.wasm'));
    const committed = join(packageRoot, 'native', 'component-translator', 'component-translator.wasm');
    expect(built.equals(readFileSync(committed))).toBe(true);
    expect(built.toString('latin1')).not.toMatch(/\/(?:home|root|tmp|Users)\//u);
  });

  it('gives core modules with at most one memory each, which compile', async () => {
    const { modules } = await translateComponent(await composed({ ...nested, handle: '(i32.const 64)' }));
    expect(modules.length).toBeGreaterThan(4);
    for (const module of modules) expect(memories(module)).toBeLessThanOrEqual(1);
  });

  it.each([
    ['a core module', () => moduleBytes('(module)'), 'a wasm module with a component parser'],
    ['nothing', () => Promise.resolve(Buffer.alloc(0)), 'unexpected end'],
    [
      'half a component',
      async () => (await componentBytes({ handle: '(i32.const 0)' })).subarray(0, -40),
      'unexpected end',
    ],
    [
      'a component with a core module that is invalid, and not instantiated',
      () => moduleBytes('(component (core module (func (export "a") (i32.const 1))))'),
      'type mismatch',
    ],
  ])('says what is wrong with %s', async (_, bytes, why) => {
    await expect(bytes().then(translateComponent)).rejects.toMatchObject({
      code: 'plugin-invalid',
      message: expect.stringMatching(
        new RegExp(`^Cannot admit the plug-in: it is not a valid component \\(.*${why}`, 'u'),
      ) as string,
    });
  });

  it('describes a component that passes text in UTF-16 from one part of it to another', async () => {
    const { instances } = await translateComponent(await passesText('utf16', 'utf16'));
    const values = instances.flatMap(({ imports }) => imports.map(({ value }) => value));
    expect(values).toContainEqual(expect.objectContaining({ is: 'transcode', operation: 'utf16-to-utf16' }));
  });

  it('gives up on a description that would be too large', async () => {
    const names = Array.from({ length: 9_000 }, (_, at) => `${'n'.repeat(480)}${at}`);
    const functions = names.map((name) => `(export "${name}" (func $f))`).join(' ');
    const imports = names.map((name) => `(import "all" "${name}" (func))`).join(' ');
    const parts = `(core module $gives (func $f) ${functions})
      (core module $takes ${imports})
      (core instance $gives (instantiate $gives))
      (core instance (instantiate $takes (with "all" (instance $gives))))`;
    const bytes = await composed({ parts, handle: '(i32.const 64)' });
    const admitted = admitPlugin(bytes, { backend: 'component', memoryBytes: 64 * 1_024 * 1_024 });
    await expect(admitted).rejects.toMatchObject({
      code: 'plugin-refused',
      fields: { rule: 'complexity', bound: 8 * 1_024 * 1_024 },
    });
  }, 60_000);
});
