/** Collects changes to bytes, in ascending order of their places. */
export interface Splice {
  /** Replaces the bytes from `from` up to `to` with `bytes`. */
  replace(from: number, to: number, bytes: ArrayLike<number>): void;
  /** Returns the bytes with all changes. Must be called last. */
  result(): Buffer;
}

/**
 * Creates a splice. It uses one buffer that doubles: a function can have millions of changes, and an object for each
 * would not fit into memory.
 */
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
