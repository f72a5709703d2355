import { HookvisorError } from '../../errors.js';
import { admissionBounds } from './admission-bounds.js';
import { requireAtMost } from './objection.js';

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

  /** A LEB128 of at most 64 bits, as a number: exact up to 2^53, which no count or size here may reach. */
  uint(): number {
    let value = this.u8();
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw invalid('a number in it has no end');
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

  name(): string {
    return this.take(this.uint()).toString('utf8');
  }

  /** A vector: its length, then that many items, of at least one byte each. More than `bound` are not read at all. */
  many<T>(item: () => T, bound?: Bound): T[] {
    const items: T[] = [];
    this.each(() => items.push(item()), bound);
    return items;
  }

  /** Like {@link many}, without keeping what was read. */
  each(item: () => void, bound?: Bound): void {
    const count = this.uint();
    if (count > this.#bytes.length - this.#at) throw truncated();
    if (bound !== undefined) requireAtMost(count, bound.most, bound.what, bound.rule);
    for (let left = count; left > 0; left -= 1) item();
  }
}

/** One section: a number that says what it is, and its content. */
export interface WasmSection {
  readonly id: number;
  readonly body: Buffer;
}

/** `module` or `component`, from the header. Throws HookvisorError `plugin-invalid` when it is neither. */
export function wasmLayer(bytes: Buffer): 'module' | 'component' {
  if (bytes.length < 4 || bytes.readUInt32BE(0) !== 0x0061736d) throw invalid('it is not WebAssembly');
  if (bytes.length < 8) throw truncated();
  const version = bytes.readUInt16LE(4);
  const layer = bytes.readUInt16LE(6);
  if (layer === 0 && version === 1) return 'module';
  if (layer === 1 && version === 13) return 'component';
  throw invalid(`it is WebAssembly of another version (${version}, layer ${layer})`);
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

/** The error of a plugin that is not what its backend takes. */
export function invalid(what: string, cause?: unknown): HookvisorError {
  const options = cause === undefined ? {} : { cause };
  return new HookvisorError(
    'plugin-invalid',
    `Cannot admit the plugin: ${what}; build it again from its source`,
    options,
  );
}

function truncated(): HookvisorError {
  return invalid('the file is truncated');
}
