import type { XmlDocument } from 'libxml2-wasm';

/** libxml2's memory: as 32-bit words and as bytes. */
export interface Heap {
  readonly words: Int32Array;
  readonly bytes: Buffer;
}

/** Views of libxml2's memory; new ones after it has grown, so they are not to be kept. */
export type HeapOf = () => Heap;

/** Gives libxml2-wasm's view of a table of nodes, which is a view of its whole memory: it hands out none by itself. */
export type ViewOfTable = (address: number, size: number) => Int32Array;

/** Where libxml2 keeps a document. The types of libxml2-wasm do not tell, though every object of it knows. */
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
