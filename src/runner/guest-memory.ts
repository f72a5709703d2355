import type { TextEncoding } from '../contract/component-plan.js';
import { trap } from './trap.js';

/** A plugin's memory, as one function of the world uses it. */
export interface GuestMemory {
  readonly memory: WebAssembly.Memory;
  /** Of its texts. */
  readonly encoding: TextEncoding;
  /** `cabi_realloc`: asks the plugin for room. */
  readonly realloc: (old: number, oldSize: number, align: number, size: number) => number;
  /** Over the memory's buffer, which is another one after the memory grew. */
  view: DataView;
}

/** How a type lies in memory, bytes. */
export interface Layout {
  readonly size: number;
  readonly align: number;
}

export function viewOf(guest: GuestMemory): DataView {
  const { buffer } = guest.memory;
  if (guest.view.buffer !== buffer) guest.view = new DataView(buffer);
  return guest.view;
}

/** An address that a plugin gives, which JavaScript sees as a signed number. Traps where the type may not lie there. */
export function placeOf(pointer: number, { align }: Layout): number {
  const at = pointer >>> 0;
  if (at % align !== 0) throw trap('wasm trap: unaligned pointer');
  return at;
}

/** Asks the plugin for room. Traps where it is not aligned; whether it lies in memory shows as it is written. */
export function roomFor(guest: GuestMemory, layout: Layout): number {
  return placeOf(guest.realloc(0, 0, layout.align, layout.size), layout);
}

/** For a value of which only a part is read or written: all of it has to be in memory. Throws RangeError. */
export function requireInside(guest: GuestMemory, at: number, { size }: Layout): void {
  if (at + size > guest.memory.buffer.byteLength) {
    throw new RangeError(`a value of ${size} bytes is outside the bounds of its memory`);
  }
}

/** Bytes of a memory, not copied. Throws RangeError for what lies outside. */
export function bytesAt({ buffer }: WebAssembly.Memory, from: number, length: number): Uint8Array {
  const at = from >>> 0;
  const size = length >>> 0;
  if (at + size > buffer.byteLength)
    throw new RangeError(`a text of ${size} bytes is outside the bounds of its memory`);
  return new Uint8Array(buffer, at, size);
}
