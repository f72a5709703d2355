import type { XmlDocument } from 'libxml2-wasm';

/** libxml2's memory as 32-bit words and as bytes. */
export interface Heap {
  readonly words: Int32Array;
  readonly bytes: Buffer;
}

/** Returns views of libxml2's memory. They become invalid when it grows, so do not keep them. */
export type HeapOf = () => Heap;

/** libxml2-wasm does not expose its memory, but its view of a table of nodes covers the whole memory. */
export type ViewOfTable = (address: number, size: number) => Int32Array;

/** Returns the address of a document in libxml2. The types of libxml2-wasm omit it, but each of its objects has it. */
export function addressOf(document: XmlDocument): number {
  const address: unknown = Reflect.get(document, '_ptr');
  if (typeof address !== 'number') throw new Error('libxml2-wasm does not say where a document is');
  return address;
}

export function heapOf(document: XmlDocument, viewOfTable: ViewOfTable): HeapOf {
  const address = addressOf(document);
  let heap: Heap | null = null;
  return () => {
    if (heap === null || heap.words.length === 0) {
      const { buffer } = viewOfTable(address, 0);
      heap = { words: new Int32Array(buffer), bytes: Buffer.from(buffer as ArrayBuffer) };
    }
    return heap;
  };
}
