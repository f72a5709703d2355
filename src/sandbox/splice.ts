/** Collects changes to bytes, made from the first to the last. */
export interface Splice {
  /** Puts `bytes` in the place of what lies between `from` and `to`. */
  replace(from: number, to: number, bytes: Uint8Array): void;
  /** Everything up to here, changes included. Ends the collecting. */
  result(): Buffer;
}

export function spliceInto(source: Buffer, start = 0): Splice {
  const parts: Uint8Array[] = [];
  let copied = start;
  return {
    replace(from, to, bytes) {
      parts.push(source.subarray(copied, from), bytes);
      copied = to;
    },
    result: () => Buffer.concat([...parts, source.subarray(copied)]),
  };
}
