/** The quantities that determine the cost of reading a document, counted without parsing it. */
export interface DocumentSize {
  readonly bytes: number;
  /** The number of `<`: an upper bound of all elements, comments, instructions and CDATA sections. */
  readonly tags: number;
  /** The number of `=`: an upper bound of all attributes and namespaces. */
  readonly attributes: number;
  /** The number of `&`: an upper bound of all references. */
  readonly references: number;
  /** Bytes of non-ASCII characters: checking and decoding them takes longest. */
  readonly foreign: number;
}

/** Classes of bytes: other, `<`, `=`, `&` and non-ASCII. */
const kindOfByte = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 ? 4 : 1 + '<=&'.indexOf(String.fromCharCode(byte)),
);

export function sizeOfDocument(document: Uint8Array): DocumentSize {
  const counts = new Uint32Array(5);
  // A table and an index, because this runs at each event: an iterator or a chain of comparisons takes three times as
  // long.
  for (let at = 0; at < document.length; at += 1) {
    const kind = kindOfByte[document[at] ?? 0] ?? 0;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  const [, tags = 0, attributes = 0, references = 0, foreign = 0] = counts;
  return { bytes: document.length, tags, attributes, references, foreign };
}

/** Steps for creating a parser. */
const readSteps = 1_000;

/**
 * Returns the steps for parsing a document and for reading each of its names and texts for the first time: one for each
 * 10 ns measured with the most expensive documents.
 */
export function readingSteps({ bytes, tags, attributes, references, foreign }: DocumentSize): number {
  return readSteps + bytes + 55 * (tags + attributes) + 8 * references + foreign;
}

/** Returns the memory of an open document, bytes: libxml2's copy and its nodes, and the tree of `readTree`. */
export function readingBytes({ bytes, tags, attributes, references }: DocumentSize): number {
  return 3 * bytes + 240 * (tags + attributes) + 16 * references;
}
