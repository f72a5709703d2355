/** Collects changes to bytes, made from the first to the last. */
export interface Splice {
  /** Puts `bytes` in the place of what lies between `from` and `to`. */
  replace(from: number, to: number, bytes: ArrayLike<number>): void;
  /** Everything up to here, changes included. Ends the collecting. */
  result(): Buffer;
}

/** One buffer that doubles: a function may have millions of changes, and an object for each would not fit. */
export function spliceInto(source: Buffer, start = 0): Splice {
  let output = Buffer.allocUnsafe(2 * (source.length - start) + 64);
  let length = 0;
  let copied = start;
  const append = (bytes: ArrayLike<number>): void => {
    if (length + bytes.length > output.length) {
      const larger = Buffer.allocUnsafe(2 * (length + bytes.length));
      output.copy(larger, 0, 0, length);
      output = larger;
    }
    output.set(bytes, length);
    length += bytes.length;
  };
  return {
    replace(from, to, bytes) {
      append(source.subarray(copied, from));
      append(bytes);
      copied = to;
    },
    result() {
      append(source.subarray(copied));
      return output.subarray(0, length);
    },
  };
}
