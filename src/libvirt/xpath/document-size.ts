/** What reading a document depends on, counted without reading it. */
export interface DocumentSize {
  readonly bytes: number;
  /** What begins with `<`: at least all elements, comments, instructions and CDATA sections. */
  readonly tags: number;
  /** What holds a `=`: at least all attributes and namespaces. */
  readonly attributes: number;
  /** What begins with `&`: at least all references. */
  readonly references: number;
}

export function sizeOfDocument(document: Uint8Array): DocumentSize {
  let [tags, attributes, references] = [0, 0, 0];
  for (const byte of document) {
    if (byte === 0x3c) tags += 1;
    else if (byte === 0x3d) attributes += 1;
    else if (byte === 0x26) references += 1;
  }
  return { bytes: document.length, tags, attributes, references };
}

/** Steps of reading a document. Of what libxml2 was seen to take, at most 10 ns for each (bench/select.mjs). */
export function readingSteps({ bytes, tags, attributes, references }: DocumentSize): number {
  return bytes + 30 * (tags + attributes) + 8 * references;
}

/** Bytes that a document takes while it is open: libxml2's copy and its nodes, and the tree of `readTree`. */
export function readingBytes({ bytes, tags, attributes, references }: DocumentSize): number {
  return 3 * bytes + 240 * (tags + attributes) + 16 * references;
}
