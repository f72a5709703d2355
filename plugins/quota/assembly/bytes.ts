/** ASCII codes for parsing. */
export const TAB: u8 = 0x09;
export const NEWLINE: u8 = 0x0a;
export const RETURN: u8 = 0x0d;
export const SPACE: u8 = 0x20;
export const BANG: u8 = 0x21;
export const DOUBLE_QUOTE: u8 = 0x22;
export const HASH: u8 = 0x23;
export const AMPERSAND: u8 = 0x26;
export const SINGLE_QUOTE: u8 = 0x27;
export const SLASH: u8 = 0x2f;
export const SEMICOLON: u8 = 0x3b;
export const LESS: u8 = 0x3c;
export const EQUALS: u8 = 0x3d;
export const GREATER: u8 = 0x3e;
export const QUESTION: u8 = 0x3f;
export const BACKSLASH: u8 = 0x5c;

/** White space in XML and JSON. */
export function isSpace(byte: u8): bool {
  return byte == SPACE || byte == TAB || byte == NEWLINE || byte == RETURN;
}

/** Tells whether `bytes` contains the ASCII string `text` at `at`. */
export function startsWith(bytes: Uint8Array, at: i32, text: string): bool {
  if (at + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (bytes[at + i] != <u8>text.charCodeAt(i)) return false;
  }
  return true;
}

/** Decodes the bytes from `from` (inclusive) to `to` (exclusive). */
export function textOf(bytes: Uint8Array, from: i32, to: i32): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart + from, to - from);
}

/** Writes one character as UTF-8 at `at` and returns the position after it. */
export function putCharacter(bytes: Uint8Array, at: i32, code: u32): i32 {
  if (code < 0x80) {
    bytes[at] = <u8>code;
    return at + 1;
  }
  if (code < 0x800) {
    bytes[at] = <u8>(0xc0 | (code >> 6));
    bytes[at + 1] = <u8>(0x80 | (code & 0x3f));
    return at + 2;
  }
  if (code < 0x10000) {
    bytes[at] = <u8>(0xe0 | (code >> 12));
    bytes[at + 1] = <u8>(0x80 | ((code >> 6) & 0x3f));
    bytes[at + 2] = <u8>(0x80 | (code & 0x3f));
    return at + 3;
  }
  bytes[at] = <u8>(0xf0 | (code >> 18));
  bytes[at + 1] = <u8>(0x80 | ((code >> 12) & 0x3f));
  bytes[at + 2] = <u8>(0x80 | ((code >> 6) & 0x3f));
  bytes[at + 3] = <u8>(0x80 | (code & 0x3f));
  return at + 4;
}
