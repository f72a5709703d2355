import { readValueType } from './value-types.js';
import type { WasmReader } from './wasm-reader.js';

/** The locals of a function, without its parameters. */
export interface Locals {
  /** The number of groups of one type, and the offset of the first group. */
  readonly groups: number;
  readonly from: number;
  readonly count: number;
}

/** Reads the locals at the beginning of a function's body, up to its first instruction. */
export function readLocals(reader: WasmReader): Locals {
  const groups = reader.count();
  const from = reader.at;
  let count = 0;
  for (let left = groups; left > 0; left -= 1) {
    count += reader.uint();
    readValueType(reader);
  }
  return { groups, from, count };
}
