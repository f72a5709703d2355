import type { HookvisorError } from '../../contract/errors.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import { admissionBounds } from './admission-bounds.js';
import { requireAtMost } from '../../contract/objection.js';

/** The largest number of items in a vector, and what the items are. */
export interface Bound {
  readonly most: number;
  readonly what: string;
  /** Defaults to `complexity`. */
  readonly rule?: 'memory' | 'table';
}

/** Reads WebAssembly's binary format. Throws HookvisorError `plugin-invalid` if the bytes end early. */
export class WasmReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The number of bytes read. */
  get at(): number {
    return this.#at;
  }

  u8(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw truncated();
    this.#at += 1;
    return byte;
  }

  /** Returns the next byte without consuming it, or -1 at the end. */
  peek(): number {
    return this.#bytes[this.#at] ?? -1;
  }

  /** Reads an unsigned LEB128 of 32 bits: at most five bytes, as in every version of V8. */
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

  /** Reads an unsigned LEB128 of 64 bits; exact up to 2^53. Only refused plug-ins have any. */
  u64(): number {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return value + this.#lastOf(10, 0x01) * 2 ** 63;
  }

  /** Reads a signed LEB128 of 33 bits: the type index of a block. */
  s33(): number {
    const from = this.#at;
    this.skipSigned(33);
    let value = 0;
    for (let at = from; at < this.#at; at += 1) value += ((this.#bytes[at] ?? 0) & 0x7f) * 2 ** (7 * (at - from));
    const bits = 7 * (this.#at - from);
    return value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  }

  /** Skips a signed LEB128 of `bits` bits. The unused bits of its last byte must repeat the sign. */
  skipSigned(bits: 32 | 33 | 64): void {
    const most = Math.ceil(bits / 7);
    for (let size = 1; size < most; size += 1) if (this.u8() < 0x80) return;
    const last = this.u8();
    if (last >= 0x80) throw invalid('a number in it is not terminated');
    const sign = bits - 7 * (most - 1) - 1;
    const high = last >> sign;
    if (high !== 0 && high !== 0x7f >> sign) throw tooLong(bits);
  }

  /** Reads the last possible byte of an unsigned number. */
  #lastOf(size: 5 | 10, most: number): number {
    const last = this.u8();
    if (last >= 0x80) throw invalid('a number in it is not terminated');
    if (last > most) throw tooLong(size === 5 ? 32 : 64);
    return last;
  }

  /** Reads a type index where a negative number would be a type: a signed LEB128 of at most 33 bits. */
  index(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      if ((byte & 0x40) !== 0 || value >= 2 ** 32) break;
      return value;
    }
    throw invalid('it refers to a type by an invalid index');
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

  /** Throws HookvisorError `plugin-invalid` if bytes are left. */
  end(): void {
    if (!this.done) throw invalid('a part of it is longer than its contents');
  }

  name(): string {
    return this.take(this.uint()).toString('utf8');
  }

  /** Reads how many items follow. Each has at least one byte. */
  count(): number {
    const count = this.uint();
    if (count > this.#bytes.length - this.#at) throw truncated();
    return count;
  }

  /** Reads a vector: its length, then that many items. A vector longer than `bound` is not read at all. */
  many<T>(item: () => T, bound?: Bound): T[] {
    const items: T[] = [];
    this.each(() => items.push(item()), bound);
    return items;
  }

  /** Reads a vector like {@link many}, without keeping the items. */
  each(item: () => void, bound?: Bound): void {
    const count = this.count();
    if (bound !== undefined) requireAtMost(count, bound.most, bound.what, bound.rule);
    for (let left = count; left > 0; left -= 1) item();
  }
}

/** A section: the number of its kind, and its content. */
export interface WasmSection {
  readonly id: number;
  readonly body: Buffer;
}

/**
 * Returns the sections of a module or component, in order. Throws HookvisorError `plugin-invalid` if one is truncated,
 * or `plugin-refused` if there are too many.
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
