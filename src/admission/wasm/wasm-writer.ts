/** Encodes an unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? byte + 128 : byte);
  } while (rest > 0);
  return bytes;
}

/** Encodes a non-negative number as a signed LEB128. */
export function signed(value: number): number[] {
  const bytes = unsigned(value);
  const last = bytes.at(-1) ?? 0;
  // Bit 6 of the last byte is the sign.
  return (last & 0x40) === 0 ? bytes : [...bytes.slice(0, -1), last | 0x80, 0];
}

/** Returns bytes, preceded by their length. */
export function sized(...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from(unsigned(length)), ...parts]);
}

/** Encodes a name or other text. */
export function text(value: string): Buffer {
  return sized(Buffer.from(value));
}

/** Encodes a vector: its length, then its items. */
export function vector(items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from(unsigned(items.length)), ...items]);
}
