import { BACKSLASH, DOUBLE_QUOTE, isSpace, putCharacter, textOf } from './bytes';

const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;
const OPEN_BRACKET: u8 = 0x5b;
const CLOSE_BRACKET: u8 = 0x5d;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const LOWER_N: u8 = 0x6e;

/**
 * Parses the JSON of the host, which is well-formed: it reads the requested values and skips the rest. An unexpected value
 * causes a trap.
 */
export class JsonReader {
  private at: i32 = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** Enters an object. `nextKey` follows. */
  enter(): void {
    this.expect(OPEN_BRACE);
  }

  /** Returns the next key of the current object, whose value follows; null at the end of the object. */
  nextKey(): string | null {
    this.skipSpace();
    if (this.bytes[this.at] == COMMA) this.at++;
    this.skipSpace();
    if (this.bytes[this.at] == CLOSE_BRACE) {
      this.at++;
      return null;
    }
    const key = this.text();
    this.expect(COLON);
    return key;
  }

  /** Reads a string. */
  text(): string {
    const bytes = this.string();
    return textOf(bytes, 0, bytes.length);
  }

  /** Reads the UTF-8 bytes of a string; null for any other value. */
  stringOrNull(): Uint8Array | null {
    this.skipSpace();
    if (this.bytes[this.at] == DOUBLE_QUOTE) return this.string();
    this.skip();
    return null;
  }

  /** Skips one value of any type and depth. */
  skip(): void {
    let depth = 0;
    do {
      this.skipSpace();
      const byte = this.bytes[this.at];
      if (byte == DOUBLE_QUOTE) {
        this.skipString();
      } else {
        if (byte == OPEN_BRACE || byte == OPEN_BRACKET) depth++;
        if (byte == CLOSE_BRACE || byte == CLOSE_BRACKET) depth--;
        this.at++;
        if (depth == 0 && byte != CLOSE_BRACE && byte != CLOSE_BRACKET) this.skipWord();
      }
    } while (depth > 0);
  }

  /** Skips the rest of a number, `true`, `false` or `null`. */
  private skipWord(): void {
    for (; this.at < this.bytes.length; this.at++) {
      const byte = this.bytes[this.at];
      if (byte == COMMA || byte == CLOSE_BRACE || byte == CLOSE_BRACKET || isSpace(byte)) return;
    }
  }

  private skipString(): void {
    for (this.at++; this.bytes[this.at] != DOUBLE_QUOTE; this.at++) {
      if (this.bytes[this.at] == BACKSLASH) this.at++;
    }
    this.at++;
  }

  private string(): Uint8Array {
    this.expect(DOUBLE_QUOTE);
    const start = this.at;
    this.at--;
    this.skipString();
    const end = this.at - 1;
    const bytes = this.bytes;
    // An escape is never shorter than the UTF-8 that it stands for.
    const out = new Uint8Array(end - start);
    let size = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i];
      if (byte != BACKSLASH) {
        out[size++] = byte;
        continue;
      }
      const escaped = bytes[++i];
      if (escaped != 0x75) {
        out[size++] = unescape(escaped);
        continue;
      }
      let code = hex(bytes, i + 1);
      i += 4;
      if (code >= 0xd800 && code < 0xdc00 && i + 6 < end && bytes[i + 1] == BACKSLASH && bytes[i + 2] == 0x75) {
        const low = hex(bytes, i + 3);
        if (low >= 0xdc00 && low < 0xe000) {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          i += 6;
        }
      }
      size = putCharacter(out, size, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    }
    return out.subarray(0, size);
  }

  private expect(byte: u8): void {
    this.skipSpace();
    assert(this.bytes[this.at] == byte);
    this.at++;
  }

  private skipSpace(): void {
    while (isSpace(this.bytes[this.at])) this.at++;
  }
}

function unescape(byte: u8): u8 {
  switch (byte) {
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case LOWER_N:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return byte;
  }
}

function hex(bytes: Uint8Array, at: i32): u32 {
  let code: u32 = 0;
  for (let i = at; i < at + 4; i++) {
    const byte: u32 = bytes[i];
    const digit: u32 = byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
    assert(digit < 16);
    code = (code << 4) | digit;
  }
  return code;
}

/** Formats text as a JSON string. */
export function jsonString(text: string): string {
  let out = '"';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code == 0x22 || code == 0x5c) out += '\\' + text.charAt(i);
    else if (code < 0x20) out += '\\u00' + (code < 0x10 ? '0' : '1') + (code & 15).toString(16);
    else out += text.charAt(i);
  }
  return out + '"';
}
