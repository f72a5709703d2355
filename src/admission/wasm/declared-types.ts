import { readValueType } from './value-types.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { WasmReader } from './wasm-reader.js';

/** Limits of a memory (in pages of 64 KiB) or a table (in elements). */
export interface WasmLimits {
  readonly minimum: number;
  readonly maximum: number | null;
  readonly shared: boolean;
  /** Whether indices have 64 bits. */
  readonly wide: boolean;
}

/** Reads the flags, minimum and maximum of a memory or table. */
export function readLimits(reader: WasmReader): WasmLimits {
  const flags = reader.u8();
  if (flags > 7) throw invalid('it declares a memory or table of an unknown form');
  const wide = (flags & 4) !== 0;
  const read = (): number => (wide ? reader.u64() : reader.uint());
  const minimum = read();
  const maximum = (flags & 1) === 0 ? null : read();
  return { minimum, maximum, shared: (flags & 2) !== 0, wide };
}

/** Skips the type of a global: its value type and its mutability. */
export function readGlobalType(reader: WasmReader): void {
  readValueType(reader);
  if (reader.u8() > 1) throw invalid('it declares a global of an unknown form');
}
