import { describe, expect, it } from 'vitest';
import { createMeter, hardeningImports, meterNames } from '../../../src/contract/meter.js';
import { hardenModule } from '../../../src/admission/fuel/harden.js';
import { lendMemory } from '../../../src/admission/fuel/lend-memory.js';
import { guestLimits, moduleBytes } from '../../support/plugins.js';

const hardened = async (wat: string): Promise<Buffer> => hardenModule(await moduleBytes(wat), guestLimits);

/** Reads byte 5, which a data segment has set, through a function that its table holds. */
const reader = `(module
  (type $read (func (result i32)))
  (memory (export "memory") 2 10)
  (table 1 funcref)
  (elem (i32.const 0) $read)
  (global $at i32 (i32.const 5))
  (data (i32.const 5) "A")
  (func $read (type $read) (i32.load8_u (global.get $at)))
  (func (export "run") (result i32) (call_indirect (type $read) (i32.const 0))))`;

describe('lendMemory', () => {
  it('makes a module import its memory, within its limits, and export it still', async () => {
    const { bytes, memory } = lendMemory(await hardened(reader));
    expect(memory).toEqual({ initial: 2, maximum: 10 });
    const module = new WebAssembly.Module(bytes);
    expect(WebAssembly.Module.imports(module)).toContainEqual({
      module: meterNames.module,
      name: meterNames.memory,
      kind: 'memory',
    });
    const given = new WebAssembly.Memory({ initial: 2, maximum: 10 });
    const imports = { [meterNames.module]: { ...hardeningImports(createMeter(guestLimits), given) } };
    const { run, memory: exported } = new WebAssembly.Instance(module, imports).exports;
    expect(exported).toBe(given);
    expect(typeof run === 'function' && run()).toBe(65);
    expect(new Uint8Array(given.buffer)[5]).toBe(65);
  });

  it('gives a memory without a maximum the one of hardening', async () => {
    const { memory } = lendMemory(await hardened('(module (memory 1))'));
    expect(memory).toEqual({ initial: 1, maximum: guestLimits.memoryBytes / 65_536 });
  });

  it('takes no memory of another size', async () => {
    const { bytes } = lendMemory(await hardened('(module (memory 2 3))'));
    const module = new WebAssembly.Module(bytes);
    for (const descriptor of [
      { initial: 1, maximum: 3 },
      { initial: 2, maximum: 4 },
    ]) {
      const memory = new WebAssembly.Memory(descriptor);
      const imports = { [meterNames.module]: { ...hardeningImports(createMeter(guestLimits), memory) } };
      expect(() => new WebAssembly.Instance(module, imports)).toThrow(WebAssembly.LinkError);
    }
  });

  it('leaves a module without a memory of its own as it is', async () => {
    for (const wat of ['(module (func))', '(module (import "a" "b" (memory 1)))']) {
      const bytes = await hardened(wat);
      expect(lendMemory(bytes)).toEqual({ bytes, memory: null });
    }
  });

  it('gives the same bytes each time', async () => {
    const bytes = await hardened(reader);
    expect(lendMemory(bytes)).toEqual(lendMemory(bytes));
  });
});
