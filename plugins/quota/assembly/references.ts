import { AMPERSAND, HASH, SEMICOLON, putCharacter, startsWith, textOf } from './bytes';

/**
 * The text between two places, character references and XML's five own entities resolved; null when there is any other.
 * XML that declares entities of its own is refused before.
 */
export function decodeReferences(bytes: Uint8Array, from: i32, to: i32): string | null {
  // A reference is never shorter than the UTF-8 that it stands for.
  const out = new Uint8Array(to - from);
  let size = 0;
  for (let at = from; at < to; at++) {
    if (bytes[at] != AMPERSAND) {
      out[size++] = bytes[at];
      continue;
    }
    let end = at + 1;
    while (end < to && bytes[end] != SEMICOLON) end++;
    const code = end < to ? character(bytes, at + 1, end) : 0;
    if (code == 0) return null;
    size = putCharacter(out, size, code);
    at = end;
  }
  return textOf(out, 0, size);
}

/** The character that the reference between two places stands for; 0 when there is none. */
function character(bytes: Uint8Array, from: i32, to: i32): u32 {
  if (to - from > 1 && bytes[from] == HASH) {
    return (bytes[from + 1] | 0x20) == 0x78 ? number(bytes, from + 2, to, 16) : number(bytes, from + 1, to, 10);
  }
  if (is(bytes, from, to, 'lt')) return 0x3c;
  if (is(bytes, from, to, 'gt')) return 0x3e;
  if (is(bytes, from, to, 'amp')) return 0x26;
  if (is(bytes, from, to, 'quot')) return 0x22;
  return is(bytes, from, to, 'apos') ? 0x27 : 0;
}

function is(bytes: Uint8Array, from: i32, to: i32, name: string): bool {
  return to - from == name.length && startsWith(bytes, from, name);
}

function number(bytes: Uint8Array, from: i32, to: i32, radix: u32): u32 {
  let code: u32 = 0;
  for (let at = from; at < to; at++) {
    const byte: u32 = bytes[at];
    const digit: u32 = byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
    if (digit >= radix) return 0;
    code = code * radix + digit;
    if (code > 0x10ffff) return 0;
  }
  return code >= 0xd800 && code < 0xe000 ? 0 : code;
}
