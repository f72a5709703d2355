import { pageBytes } from '../contract/limits.js';
import type { Artefact, ModuleMemory } from '../contract/artefact.js';

/** The memories of one instance. */
export interface Loan {
  /** Returns a zeroed memory for a core module, or null if the module has none. */
  take(module: string): WebAssembly.Memory | null;
  /** Releases the memories for other instances. The instance must not be used again. */
  giveBack(): void;
}

/**
 * The linear memories of a plug-in, which its instances reuse one after the other. Without reuse, each memory would be
 * mapped, faulted in page by page and collected: that is most of the cost of an instance, and causes the pauses of V8's
 * collector.
 */
export interface MemoryPool {
  lend(): Loan;
  /** Releases the unused memories. */
  clear(): void;
}

/** Limits of the pools. A cleared memory occupies all of its bytes, a newly mapped one only those that were touched. */
export const poolBounds = {
  /** Maximum size of a kept memory, bytes: clearing a larger one takes longer than mapping a new one. */
  memoryBytes: 4 * 1024 * 1024,
  /** Maximum size of all pooled memories of this process, in use or not, bytes. Above it, none is kept. */
  allBytes: 64 * 1024 * 1024,
} as const;

let bytesMade = 0;
const collected = new FinalizationRegistry<number>((bytes) => {
  bytesMade -= bytes;
});

interface Shelf {
  readonly descriptor: ModuleMemory;
  idle: WebAssembly.Memory[];
}

export function createMemoryPool(modules: Artefact['modules']): MemoryPool {
  const shelves = new Map<string, Shelf>();
  for (const { name, memory } of modules) if (memory !== null) shelves.set(name, { descriptor: memory, idle: [] });
  return {
    lend() {
      const lent: { readonly shelf: Shelf; readonly memory: WebAssembly.Memory }[] = [];
      return {
        take(module) {
          const shelf = shelves.get(module);
          if (shelf === undefined) return null;
          const used = shelf.idle.pop();
          const memory = used === undefined ? made(shelf.descriptor) : cleared(used);
          lent.push({ shelf, memory });
          return memory;
        },
        giveBack() {
          for (const { shelf, memory } of lent.splice(0)) if (isWorthKeeping(memory, shelf)) shelf.idle.push(memory);
        },
      };
    },
    clear() {
      for (const shelf of shelves.values()) shelf.idle = [];
    },
  };
}

function made(descriptor: ModuleMemory): WebAssembly.Memory {
  const memory = new WebAssembly.Memory(descriptor);
  const bytes = descriptor.initial * pageBytes;
  bytesMade += bytes;
  collected.register(memory, bytes);
  return memory;
}

function cleared(memory: WebAssembly.Memory): WebAssembly.Memory {
  new Uint8Array(memory.buffer).fill(0);
  return memory;
}

/** A memory cannot shrink, and the next instance would notice that it has grown. */
function isWorthKeeping({ buffer }: WebAssembly.Memory, { descriptor }: Shelf): boolean {
  const bytes = descriptor.initial * pageBytes;
  return buffer.byteLength === bytes && bytes <= poolBounds.memoryBytes && bytesMade <= poolBounds.allBytes;
}
