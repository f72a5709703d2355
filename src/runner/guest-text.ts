import { isUtf8, transcode } from 'node:buffer';
import type { TextEncoding } from '../contract/component-plan.js';
import { bytesAt, placeOf } from './guest-memory.js';
import type { GuestMemory } from './guest-memory.js';

/*
 * Texts as the component model lays them in memory: UTF-8 by bytes, UTF-16 by units of two bytes, at even addresses. A
 * text that is not in its encoding traps, and a byte order mark is a character like any other.
 */

const decoders = {
  utf8: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  utf16: new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true }),
};

/** Bytes of a unit, in which the length of a text is counted, and by which it is aligned. */
export const unitBytes: Readonly<Record<TextEncoding, number>> = { utf8: 1, utf16: 2 };

/** A text of a plugin as bytes, not copied. Traps where none may lie; throws RangeError for what lies outside. */
export function textAt({ memory, encoding }: GuestMemory, from: number, units: number): Uint8Array {
  const size = unitBytes[encoding];
  return bytesAt(memory, placeOf(from, { size, align: size }), (units >>> 0) * size);
}

/**
 * Throws TypeError for bytes that are not in their encoding. Makes no string of them, which could be too large for V8's
 * heap.
 */
export function requireText(bytes: Uint8Array, encoding: TextEncoding): void {
  const valid = encoding === 'utf8' ? isUtf8(bytes) : isUtf16(bytes);
  if (!valid) decoders[encoding].decode(bytes);
}

/** Whether each half of a pair has its other half. */
function isUtf16({ buffer, byteOffset, length }: Uint8Array): boolean {
  const units = new Uint16Array(buffer, byteOffset, length / 2);
  let opened = false;
  for (const unit of units) {
    const half = unit & 0xfc00;
    if (opened !== (half === 0xdc00)) return false;
    opened = half === 0xd800;
  }
  return !opened;
}

/** Bytes that one of UTF-16's units, in which JavaScript counts, takes at most. */
const mostBytes: Readonly<Record<TextEncoding, number>> = { utf8: 3, utf16: 2 };

/**
 * A text of which no more than so many characters are wanted: these, and a few more where there are. What a plugin gives
 * may be as large as its memory. Throws as {@link requireText} does, for all of it.
 */
export function loadBeginning(bytes: Uint8Array, encoding: TextEncoding, chars: number): string {
  requireText(bytes, encoding);
  let end = Math.min(bytes.length, mostBytes[encoding] * (chars + 1));
  // Not in the midst of a character.
  if (encoding === 'utf8') while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  else if (end < bytes.length && ((bytes[end + 1] ?? 0) & 0xfc) === 0xdc) end -= 2;
  return decoders[encoding].decode(bytes.subarray(0, end));
}

/** A text in UTF-8, copied. Throws as {@link requireText} does. */
export function loadUtf8(bytes: Uint8Array, encoding: TextEncoding): Buffer {
  requireText(bytes, encoding);
  return encoding === 'utf8' ? Buffer.from(bytes) : transcode(bytes, 'utf16le', 'utf8');
}

const encoder = new TextEncoder();

/** Units that a text takes in a plugin's memory. Half a character becomes a replacement character, in either encoding. */
export function unitsOf(text: string, encoding: TextEncoding): number {
  return encoding === 'utf8' ? Buffer.byteLength(text) : text.length;
}

/** Writes a text into room that is as large as {@link unitsOf} says. */
export function writeText(text: string, encoding: TextEncoding, room: Uint8Array): void {
  if (encoding === 'utf8') encoder.encodeInto(text, room);
  else room.set(Buffer.from(text.toWellFormed(), 'utf16le'));
}

/** A text in UTF-8 as a plugin has it. */
export function encodeUtf8(text: Buffer, encoding: TextEncoding): Uint8Array {
  return encoding === 'utf8' ? text : transcode(text, 'utf8', 'utf16le');
}
