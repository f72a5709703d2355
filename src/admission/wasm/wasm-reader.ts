import type { HookvisorError } from '../../contract/errors.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import { admissionBounds } from './admission-bounds.js';
import { requireAtMost } from '../../contract/objection.js';

/** Most items that a vector may have, and what they are. */
export interface Bound {
  readonly most: number;
  readonly what: string;
  /** `complexity` unless given. */
  readonly rule?: 'memory' | 'table';
}

/** Reads the parts of WebAssembly's binary format. Throws HookvisorError `plugin-invalid` where the bytes end early. */
export class WasmReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** How many bytes were read. */
  get at(): number {
    return this.#at;
  }

  u8(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw truncated();
    this.#at += 1;
    return byte;
  }

  /** The next byte, which stays to be read; -1 at the end. */
  peek(): number {
    return this.#bytes[this.#at] ?? -1;
  }

  /** An unsigned LEB128 of 32 bits: at most five bytes, as every version of V8 takes it. */
  uint(): number {
    let value = this.u8();
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return value + this.#lastOf(5, 0x0f) * 2 ** 28;
  }

  /** An unsigned LEB128 of 64 bits: exact up to 2^53. Only what is refused has any. */
  u64(): number {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return value + this.#lastOf(10, 0x01) * 2 ** 63;
  }

  /** A signed LEB128 of 33 bits, which is how a block names its type. */
  s33(): number {
    const from = this.#at;
    this.skipSigned(33);
    let value = 0;
    for (let at = from; at < this.#at; at += 1) value += ((this.#bytes[at] ?? 0) & 0x7f) * 2 ** (7 * (at - from));
    const bits = 7 * (this.#at - from);
    return value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  }

  /** Reads past a signed LEB128 of so many bits. The bits of its last byte that are too many repeat the sign. */
  skipSigned(bits: 32 | 33 | 64): void {
    const most = Math.ceil(bits / 7);
    for (let size = 1; size < most; size += 1) if (this.u8() < 0x80) return;
    const last = this.u8();
    if (last >= 0x80) throw invalid('a number in it has no end');
    const sign = bits - 7 * (most - 1) - 1;
    const high = last >> sign;
    if (high !== 0 && high !== 0x7f >> sign) throw tooLong(bits);
  }

  /** The last byte that an unsigned number may have. */
  #lastOf(size: 5 | 10, most: number): number {
    const last = this.u8();
    if (last >= 0x80) throw invalid('a number in it has no end');
    if (last > most) throw tooLong(size === 5 ? 32 : 64);
    return last;
  }

  /** The index of a type where a negative number would be a type itself: a signed LEB128 of at most 33 bits. */
  index(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      if ((byte & 0x40) !== 0 || value >= 2 ** 32) break;
      return value;
    }
    throw invalid('it refers to a type by a number that is no index');
  }

  take(size: number): Buffer {
    const from = this.#at;
    this.skip(size);
    return this.#bytes.subarray(from, this.#at);
  }

  skip(size: number): void {
    const end = this.#at + size;
    if (end > this.#bytes.length) throw truncated();
    this.#at = end;
  }

  /** Throws where something is left to be read. */
  end(): void {
    if (!this.done) throw invalid('a part of it is longer than what it holds');
  }

  name(): string {
    return this.take(this.uint()).toString('utf8');
  }

  /** How many items follow, of at least one byte each. */
  count(): number {
    const count = this.uint();
    if (count > this.#bytes.length - this.#at) throw truncated();
    return count;
  }

  /** A vector: its length, then that many items. More than `bound` are not read at all. */
  many<T>(item: () => T, bound?: Bound): T[] {
    const items: T[] = [];
    this.each(() => items.push(item()), bound);
    return items;
  }

  /** Like {@link many}, without keeping what was read. */
  each(item: () => void, bound?: Bound): void {
    const count = this.count();
    if (bound !== undefined) requireAtMost(count, bound.most, bound.what, bound.rule);
    for (let left = count; left > 0; left -= 1) item();
  }
}

/** One section: a number that says what it is, and its content. */
export interface WasmSection {
  readonly id: number;
  readonly body: Buffer;
}

/**
 * The sections of a module or component, in order. Throws HookvisorError `plugin-invalid` when one is cut off, or
 * `plugin-refused` when there are too many.
 */
export function wasmSections(bytes: Buffer): WasmSection[] {
  const reader = new WasmReader(bytes);
  reader.take(8);
  const sections: WasmSection[] = [];
  while (!reader.done) {
    const id = reader.u8();
    sections.push({ id, body: reader.take(reader.uint()) });
    requireAtMost(sections.length, admissionBounds.sections, 'sections');
  }
  return sections;
}

function tooLong(bits: number): HookvisorError {
  return invalid(`a number in it has more than ${bits} bits`);
}

function truncated(): HookvisorError {
  return invalid('the file is truncated');
}
