import type { ModuleMemory } from '../../contract/artefact.js';
import { meterNames } from '../../contract/meter.js';
import { readLimits } from '../wasm/declared-types.js';
import { moduleSection as section, moduleSections } from '../wasm/module-sections.js';
import { WasmReader } from '../wasm/wasm-reader.js';
import { sized, text, unsigned } from '../wasm/wasm-writer.js';

/** A core module that imports its memory, and the memory that it needs. */
export interface Borrower {
  readonly bytes: Buffer;
  /** Null for a module that declares no memory. */
  readonly memory: ModuleMemory | null;
}

/**
 * Makes a hardened core module import the memory that it declares, under the name in `meterNames`, so that successive
 * instances can reuse one memory. A vetted module has at most one memory, so its code does not change. The same bytes
 * always give the same result.
 */
export function lendMemory(bytes: Buffer): Borrower {
  const sections = new Map(moduleSections(bytes));
  const memory = declaredMemory(sections.get(section.memory));
  const imports = sections.get(section.import);
  if (memory === null || imports === undefined) return { bytes, memory: null };
  sections.delete(section.memory);
  sections.set(section.import, withMemory(imports, memory));
  const parts = [...sections].flatMap(([id, body]) => [Buffer.from([id]), sized(body)]);
  return { bytes: Buffer.concat([bytes.subarray(0, 8), ...parts]), memory };
}

/** Returns the declared memory. Hardening has given it a maximum. */
function declaredMemory(body: Buffer | undefined): ModuleMemory | null {
  if (body === undefined) return null;
  const reader = new WasmReader(body);
  const [limits] = reader.many(() => readLimits(reader));
  return limits === undefined ? null : { initial: limits.minimum, maximum: limits.maximum ?? limits.minimum };
}

/** Returns the imports with the memory appended: kind 2, limits with a maximum. */
function withMemory(imports: Buffer, { initial, maximum }: ModuleMemory): Buffer {
  const reader = new WasmReader(imports);
  const count = reader.uint();
  const limits = Buffer.from([2, 1, ...unsigned(initial), ...unsigned(maximum)]);
  const added = [text(meterNames.module), text(meterNames.memory), limits];
  return Buffer.concat([Buffer.from(unsigned(count + 1)), imports.subarray(reader.at), ...added]);
}
