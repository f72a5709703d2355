import type { XmlDocument } from 'libxml2-wasm';
import { addressOf } from './heap.js';
import type { HeapOf } from './heap.js';
import type { DocumentSize } from './document-size.js';

export const nodeKinds = { document: 0, element: 1, attribute: 2, text: 3, instruction: 4, comment: 5 } as const;

/** libxml2's node types as kinds of XPath nodes. CDATA is text; a document without a DTD contains no other types. */
const kindOfType: ReadonlyMap<number, number> = new Map([
  [1, nodeKinds.element],
  [2, nodeKinds.attribute],
  [3, nodeKinds.text],
  [4, nodeKinds.text],
  [7, nodeKinds.instruction],
  [8, nodeKinds.comment],
]);

/** Offsets of the fields of libxml2 2.14 and 2.15 in bytes from a node's address, on wasm32 (libxml/tree.h). */
const field = {
  ...{ type: 4, name: 8, children: 12, next: 24, namespace: 36, content: 40, attributes: 44, namespaces: 48 },
} as const;
const namespaceField = { next: 0, uri: 8, prefix: 12 } as const;

export interface Namespace {
  readonly uri: string;
  readonly prefix: string | null;
}

/**
 * The nodes of a document in libxml2, numbered in document order; the document itself is 0. An element's attributes
 * directly follow it. Texts stay in libxml2 until they are read.
 */
export class XmlTree {
  /** The kind of each node, one of `nodeKinds`. */
  readonly kinds: Uint8Array;
  /** The parent of each node: the element of an attribute; -1 for the document. */
  readonly parents: Int32Array;
  /** The last node inside each node, or the node itself. */
  readonly ends: Int32Array;
  /** The first node after each node and its attributes: its first child if it has one. */
  readonly insides: Int32Array;
  readonly #addresses: Int32Array;
  readonly #heap: HeapOf;
  readonly #strings = new Map<number, string>();
  readonly #texts = new Map<number, string>();
  /** The root element. */
  readonly root: number;
  count = 0;

  constructor(document: XmlDocument, { tags, attributes }: DocumentSize, heap: HeapOf) {
    // At most one text follows each tag.
    const most = 2 * tags + attributes + 2;
    // One allocation takes less time than five.
    const memory = new ArrayBuffer(17 * most);
    const column = (at: number): Int32Array => new Int32Array(memory, 4 * most * at, most);
    this.parents = column(0);
    this.ends = column(1);
    this.insides = column(2);
    this.#addresses = column(3);
    this.kinds = new Uint8Array(memory, 16 * most, most);
    this.#heap = heap;
    this.#read(addressOf(document));
    let root = 1;
    while (root < this.count && this.kinds[root] !== nodeKinds.element) root = this.insides[root] ?? this.count;
    this.root = root;
  }

  #read(document: number): void {
    const { words } = this.#heap();
    const at = (address: number, offset: number): number => words[(address + offset) >> 2] ?? 0;
    let parent = this.#add(document, nodeKinds.document, -1);
    this.insides[parent] = this.count;
    let address = at(document, field.children);
    for (;;) {
      while (address === 0) {
        this.ends[parent] = this.count - 1;
        const up = this.#addresses[parent] ?? 0;
        parent = this.parents[parent] ?? -1;
        if (parent < 0) return;
        address = at(up, field.next);
      }
      const kind = kindOfType.get(at(address, field.type));
      if (kind === undefined) {
        address = at(address, field.next);
        continue;
      }
      const node = this.#add(address, kind, parent);
      if (kind === nodeKinds.element) {
        for (let one = at(address, field.attributes); one !== 0; one = at(one, field.next)) {
          const attribute = this.#add(one, nodeKinds.attribute, node);
          this.insides[attribute] = this.count;
          this.ends[attribute] = attribute;
        }
      }
      this.insides[node] = this.count;
      const inside = kind === nodeKinds.element ? at(address, field.children) : 0;
      if (kind === nodeKinds.element) {
        // Its end is unknown until its children are read; until then this field contains the parent.
        parent = node;
        address = inside;
      } else {
        this.ends[node] = node;
        address = at(address, field.next);
      }
    }
  }

  #add(address: number, kind: number, parent: number): number {
    const node = this.count;
    this.kinds[node] = kind;
    this.parents[node] = parent;
    this.#addresses[node] = address;
    this.count += 1;
    return node;
  }

  /** Returns the name without its prefix; empty for a node without a name. */
  localName(node: number): string {
    const kind = this.kinds[node];
    if (kind !== nodeKinds.element && kind !== nodeKinds.attribute && kind !== nodeKinds.instruction) return '';
    return this.#string(this.#word(node, field.name));
  }

  /** Returns the namespace; null for an element or attribute without one, and for all other nodes. */
  namespace(node: number): Namespace | null {
    const kind = this.kinds[node];
    if (kind !== nodeKinds.element && kind !== nodeKinds.attribute) return null;
    const address = this.#word(node, field.namespace);
    return address === 0 ? null : this.#namespace(address);
  }

  #namespace(address: number): Namespace {
    const { words } = this.#heap();
    const prefix = words[(address + namespaceField.prefix) >> 2] ?? 0;
    const uri = words[(address + namespaceField.uri) >> 2] ?? 0;
    return { uri: uri === 0 ? '' : this.#string(uri), prefix: prefix === 0 ? null : this.#string(prefix) };
  }

  /** Yields the namespaces that an element itself declares. */
  *declared(node: number): Generator<Namespace> {
    let address = this.#word(node, field.namespaces);
    while (address !== 0) {
      yield this.#namespace(address);
      address = this.#heap().words[(address + namespaceField.next) >> 2] ?? 0;
    }
  }

  /** Returns the content of an attribute, a text, a comment or an instruction; empty for other nodes. */
  ownText(node: number): string {
    const known = this.#texts.get(node);
    if (known !== undefined) return known;
    const text = this.#readText(node);
    this.#texts.set(node, text);
    return text;
  }

  #readText(node: number): string {
    const kind = this.kinds[node];
    if (kind === nodeKinds.element || kind === nodeKinds.document) return '';
    if (kind !== nodeKinds.attribute) return this.#decoded(this.#word(node, field.content));
    let text = '';
    const { words } = this.#heap();
    let child = this.#word(node, field.children);
    while (child !== 0) {
      text += this.#decoded(words[(child + field.content) >> 2] ?? 0);
      child = words[(child + field.next) >> 2] ?? 0;
    }
    return text;
  }

  #word(node: number, offset: number): number {
    return this.#heap().words[((this.#addresses[node] ?? 0) + offset) >> 2] ?? 0;
  }

  /** libxml2 stores equal names only once. */
  #string(address: number): string {
    const known = this.#strings.get(address);
    if (known !== undefined) return known;
    const text = this.#decoded(address);
    this.#strings.set(address, text);
    return text;
  }

  #decoded(address: number): string {
    if (address === 0) return '';
    const { bytes } = this.#heap();
    return bytes.toString('utf8', address, bytes.indexOf(0, address));
  }
}
