import { version } from '../version.js';
import { seal, type ChainHead } from './chain.js';
import { type JournalEntry, linesOf } from './entry.js';
import type { OpenSegments } from './open-segments.js';
import { journalVersion, type LineBody } from './record.js';
import { type Stored, type StoreOptions, toStore } from './store-document.js';

/** Events that could not be written. */
interface Gap {
  lost: number;
  readonly since: number;
  until: number;
}

/** Writes events as lines of the chain, and each document once per segment. */
export class RecordWriter {
  readonly #segments: OpenSegments;
  readonly #store: (document: Buffer) => Stored;
  #options: StoreOptions;
  #stored = new WeakMap<Buffer, Stored>();
  #head: ChainHead;
  #gap: Gap | null = null;

  constructor(segments: OpenSegments, head: ChainHead, options: StoreOptions) {
    this.#segments = segments;
    this.#head = head;
    this.#options = options;
    this.#store = (document) => this.prepare(document);
  }

  /** Applies other options from the next record on. */
  update(options: Partial<StoreOptions>): void {
    this.#options = { ...this.#options, ...options };
    this.#stored = new WeakMap();
  }

  /** Prepares a document for a later entry. */
  prepare(document: Buffer): Stored {
    const known = this.#stored.get(document);
    if (known !== undefined) return known;
    const made = toStore(document, this.#options);
    this.#stored.set(document, made);
    return made;
  }

  /** Writes all lines of an event, or throws the error of the system and writes none. */
  write(entry: JournalEntry): void {
    const { documents, event } = linesOf(entry, this.#store);
    const known = this.#segments.active.documents;
    const unknown = documents.filter(({ sha256 }) => !known.has(sha256));
    this.#writeLines([...unknown, event]);
    for (const { sha256 } of unknown) known.add(sha256);
  }

  /** Counts an event as lost; the next successful write starts with a record of the loss. */
  lose(time: number): void {
    this.#gap = { lost: (this.#gap?.lost ?? 0) + 1, since: this.#gap?.since ?? time, until: time };
  }

  /** Records lost events, if any. Throws the error of the system. */
  writeGap(): void {
    if (this.#gap !== null) this.#writeLines([]);
  }

  /** Writes all lines or none, and advances the head of the chain accordingly. */
  #writeLines(bodies: readonly LineBody[]): void {
    let end = this.#head;
    const lines: string[] = [];
    const add = (body: LineBody): void => {
      const { text, head: next } = seal(body, end);
      lines.push(text);
      end = next;
    };
    const { size, number } = this.#segments.active;
    if (size === 0) add(headerOf(number, this.#head));
    if (this.#gap !== null) add({ type: 'gap', v: journalVersion, ...this.#gap });
    for (const body of bodies) add(body);
    this.#segments.write(Buffer.from(lines.join('')));
    this.#head = end;
    this.#gap = null;
  }
}

function headerOf(number: number, head: ChainHead): LineBody {
  const versions = { hookvisor: version, node: process.version };
  return { type: 'segment', v: journalVersion, number, prev: head.hash, time: Date.now(), ...versions };
}
