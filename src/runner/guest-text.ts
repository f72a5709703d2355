import { isUtf8, transcode } from 'node:buffer';
import type { TextEncoding } from '../contract/component-plan.js';
import { bytesAt, placeOf } from './guest-memory.js';
import type { GuestMemory } from './guest-memory.js';

/*
 * Texts in the layout of the component model: UTF-8 in bytes, or UTF-16 in two-byte units at even addresses. A text
 * with an invalid encoding traps. A byte order mark is an ordinary character.
 */

const decoders = {
  utf8: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  utf16: new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true }),
};

/** The size of a code unit in bytes. Texts are counted in code units and aligned to them. */
export const unitBytes: Readonly<Record<TextEncoding, number>> = { utf8: 1, utf16: 2 };

/**
 * Returns a plug-in's text as bytes, without copying them. Traps at a misaligned address; throws RangeError for a text
 * outside the memory.
 */
export function textAt({ memory, encoding }: GuestMemory, from: number, units: number): Uint8Array {
  const size = unitBytes[encoding];
  return bytesAt(memory, placeOf(from, { size, align: size }), (units >>> 0) * size);
}

/**
 * Throws TypeError for bytes that are invalid in their encoding. Does not create a string, which could be too large for
 * V8's heap.
 */
export function requireText(bytes: Uint8Array, encoding: TextEncoding): void {
  const valid = encoding === 'utf8' ? isUtf8(bytes) : isUtf16(bytes);
  if (!valid) decoders[encoding].decode(bytes);
}

/** Returns whether each surrogate is part of a pair. */
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

/** Maximum number of bytes for one UTF-16 code unit, in which JavaScript counts. */
const mostBytes: Readonly<Record<TextEncoding, number>> = { utf8: 3, utf16: 2 };

/**
 * Returns at least the first `chars` characters of a text. A plug-in's text may be as large as its memory. Throws as
 * {@link requireText} does, for the whole text.
 */
export function loadBeginning(bytes: Uint8Array, encoding: TextEncoding, chars: number): string {
  requireText(bytes, encoding);
  let end = Math.min(bytes.length, mostBytes[encoding] * (chars + 1));
  // Does not cut within a character.
  if (encoding === 'utf8') while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  else if (end < bytes.length && ((bytes[end + 1] ?? 0) & 0xfc) === 0xdc) end -= 2;
  return decoders[encoding].decode(bytes.subarray(0, end));
}

/** Returns a copy of a text in UTF-8. Throws as {@link requireText} does. */
export function loadUtf8(bytes: Uint8Array, encoding: TextEncoding): Buffer {
  requireText(bytes, encoding);
  return encoding === 'utf8' ? Buffer.from(bytes) : transcode(bytes, 'utf16le', 'utf8');
}

const encoder = new TextEncoder();

/**
 * Returns the length of a text in a plug-in's memory, in code units. A lone surrogate becomes a replacement character
 * in either encoding.
 */
export function unitsOf(text: string, encoding: TextEncoding): number {
  return encoding === 'utf8' ? Buffer.byteLength(text) : text.length;
}

/** Writes a text into memory of the size that {@link unitsOf} returns. */
export function writeText(text: string, encoding: TextEncoding, room: Uint8Array): void {
  if (encoding === 'utf8') encoder.encodeInto(text, room);
  else room.set(Buffer.from(text.toWellFormed(), 'utf16le'));
}

/** Converts UTF-8 text to the plug-in's encoding. */
export function encodeUtf8(text: Buffer, encoding: TextEncoding): Uint8Array {
  return encoding === 'utf8' ? text : transcode(text, 'utf8', 'utf16le');
}
