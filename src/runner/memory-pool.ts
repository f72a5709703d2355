import { pageBytes } from '../contract/limits.js';
import type { Artefact, ModuleMemory } from '../contract/artefact.js';

/** The memories of one instance. */
export interface Loan {
  /** A memory of zeros for a core module, null for one that is given none. */
  take(module: string): WebAssembly.Memory | null;
  /** The instance is never used again, so others can have its memories. */
  giveBack(): void;
}

/**
 * The linear memories of a plugin, which its instances have one after the other. A memory of its own for each would be
 * mapped, faulted in page by page and collected: most of what an instance takes, and the pauses of V8's collector with it.
 */
export interface MemoryPool {
  lend(): Loan;
  /** Lets those go that nobody has. */
  clear(): void;
}

/** What pools keep. A cleared memory takes all of its bytes from the machine, one that was just mapped what is touched. */
export const poolBounds = {
  /** A larger memory takes longer to clear than to map, bytes. */
  memoryBytes: 4 * 1024 * 1024,
  /** All memories of this process that pools have made, in use or not, bytes. With more, none is kept. */
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

/** A memory cannot shrink, and the next instance would see that it had grown. */
function isWorthKeeping({ buffer }: WebAssembly.Memory, { descriptor }: Shelf): boolean {
  const bytes = descriptor.initial * pageBytes;
  return buffer.byteLength === bytes && bytes <= poolBounds.memoryBytes && bytesMade <= poolBounds.allBytes;
}
