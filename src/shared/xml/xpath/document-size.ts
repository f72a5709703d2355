/** What reading a document depends on, counted without reading it. */
export interface DocumentSize {
  readonly bytes: number;
  /** What begins with `<`: at least all elements, comments, instructions and CDATA sections. */
  readonly tags: number;
  /** What holds a `=`: at least all attributes and namespaces. */
  readonly attributes: number;
  /** What begins with `&`: at least all references. */
  readonly references: number;
  /** Bytes of characters that are not ASCII: checking and decoding them takes longest. */
  readonly foreign: number;
}

/** Kinds of bytes: other, `<`, `=`, `&`, and what is not ASCII. */
const kindOfByte = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 ? 4 : 1 + '<=&'.indexOf(String.fromCharCode(byte)),
);

export function sizeOfDocument(document: Uint8Array): DocumentSize {
  const counts = new Uint32Array(5);
  // By index and table: it is done at each event, and an iterator or a chain of comparisons takes thrice as long.
  for (let at = 0; at < document.length; at += 1) {
    const kind = kindOfByte[document[at] ?? 0] ?? 0;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  const [, tags = 0, attributes = 0, references = 0, foreign = 0] = counts;
  return { bytes: document.length, tags, attributes, references, foreign };
}

/** Steps of setting up a parser. */
const readSteps = 1_000;

/**
 * Steps of reading a document, and each of its names and texts for the first time: one for each 10 ns or so that was seen to
 * take for the dearest of documents.
 */
export function readingSteps({ bytes, tags, attributes, references, foreign }: DocumentSize): number {
  return readSteps + bytes + 55 * (tags + attributes) + 8 * references + foreign;
}

/** Bytes that a document takes while it is open: libxml2's copy and its nodes, and the tree of `readTree`. */
export function readingBytes({ bytes, tags, attributes, references }: DocumentSize): number {
  return 3 * bytes + 240 * (tags + attributes) + 16 * references;
}
