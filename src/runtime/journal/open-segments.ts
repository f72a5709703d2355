import { createGroupCommit } from './group-commit.js';
import { cannot } from './journal-error.js';
import type { Recovered } from './recover.js';
import { openSegment, type SegmentWriter } from './segment-writer.js';

/** The open segments of a journal: the active one, and sealed ones until they are synced to disk. */
export class OpenSegments {
  /** Syncs everything written so far to disk. Throws HookvisorError `journal`. */
  readonly commit = createGroupCommit(() => this.#sync());
  readonly #dir: string;
  readonly #onSealed: () => void;
  /** Segments with lines that are not synced yet. */
  readonly #unsafe = new Set<SegmentWriter>();
  readonly #sealed = new Set<SegmentWriter>();
  #active: SegmentWriter;

  /** `onSealed` is called when a sealed segment is synced and closed. */
  constructor(dir: string, { number, state }: Recovered, onSealed: () => void) {
    this.#dir = dir;
    this.#onSealed = onSealed;
    this.#active = openSegment(dir, number, state);
  }

  /** The active segment. */
  get active(): Omit<SegmentWriter, 'write' | 'sync' | 'close'> {
    return this.#active;
  }

  get isSafe(): boolean {
    return this.#unsafe.size === 0;
  }

  /** Writes complete lines to the active segment, or throws the error of the system and changes nothing. */
  write(lines: Buffer): void {
    this.#active.write(lines);
    this.#unsafe.add(this.#active);
  }

  /** Seals the active segment and starts the next one, or throws the error of the system and changes nothing. */
  rotate(): void {
    const next = openSegment(this.#dir, this.#active.number + 1, null);
    this.#sealed.add(this.#active);
    this.#unsafe.add(this.#active);
    this.#active = next;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#sealed, this.#active].map(async (one) => one.close()));
  }

  async #sync(): Promise<void> {
    const all = [...this.#unsafe];
    this.#unsafe.clear();
    try {
      await Promise.all(all.map(async (one) => one.sync()));
    } catch (error) {
      for (const one of all) this.#unsafe.add(one);
      throw cannot('make safe', this.#dir, error);
    }
    for (const one of [...this.#sealed].filter((each) => !this.#unsafe.has(each))) {
      this.#sealed.delete(one);
      await one.close();
      this.#onSealed();
    }
  }
}
