/** An unsigned LEB128. */
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

/** A signed LEB128 of a number that is not negative. */
export function signed(value: number): number[] {
  const bytes = unsigned(value);
  const last = bytes.at(-1) ?? 0;
  // The highest bit of the last byte would make it negative.
  return (last & 0x40) === 0 ? bytes : [...bytes.slice(0, -1), last | 0x80, 0];
}

/** Bytes with their length before them. */
export function sized(...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from(unsigned(length)), ...parts]);
}

/** A name or other text. */
export function text(value: string): Buffer {
  return sized(Buffer.from(value));
}

/** A vector: its length, then its items. */
export function vector(items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from(unsigned(items.length)), ...items]);
}
