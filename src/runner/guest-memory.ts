import type { TextEncoding } from '../contract/component-plan.js';
import { trap } from './trap.js';

/** A plug-in's memory, as one function of the world uses it. */
export interface GuestMemory {
  readonly memory: WebAssembly.Memory;
  /** The encoding of its texts. */
  readonly encoding: TextEncoding;
  /** `cabi_realloc`: allocates memory in the plug-in. */
  readonly realloc: (old: number, oldSize: number, align: number, size: number) => number;
  /** A view of the memory's buffer. A new one is needed after the memory has grown. */
  view: DataView;
}

/** The size and the alignment of a type, bytes. */
export interface Layout {
  readonly size: number;
  readonly align: number;
}

export function viewOf(guest: GuestMemory): DataView {
  const { buffer } = guest.memory;
  if (guest.view.buffer !== buffer) guest.view = new DataView(buffer);
  return guest.view;
}

/** Returns an address from a plug-in as an unsigned number. Traps if it is not aligned for the type. */
export function placeOf(pointer: number, { align }: Layout): number {
  const at = pointer >>> 0;
  if (at % align !== 0) throw trap('wasm trap: unaligned pointer');
  return at;
}

/**
 * Allocates memory in the plug-in. Traps if the address is not aligned; writing to it detects an address outside the
 * memory.
 */
export function roomFor(guest: GuestMemory, layout: Layout): number {
  return placeOf(guest.realloc(0, 0, layout.align, layout.size), layout);
}

/** Checks that a value lies completely in memory, even if only a part is read or written. Throws RangeError. */
export function requireInside(guest: GuestMemory, at: number, { size }: Layout): void {
  if (at + size > guest.memory.buffer.byteLength) {
    throw new RangeError(`a value of ${size} bytes is outside the bounds of its memory`);
  }
}

/** Returns bytes of a memory without copying them. Throws RangeError for bytes outside the memory. */
export function bytesAt({ buffer }: WebAssembly.Memory, from: number, length: number): Uint8Array {
  const at = from >>> 0;
  const size = length >>> 0;
  if (at + size > buffer.byteLength)
    throw new RangeError(`a text of ${size} bytes is outside the bounds of its memory`);
  return new Uint8Array(buffer, at, size);
}
