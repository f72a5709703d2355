import type { ExportRef, TextEncoding } from '../contract/component-plan.js';
import type { GuestMemory } from './guest-memory.js';
import type { HostCalls } from './host.js';
import type { ResourceTables } from './resource-tables.js';
import { trap } from './trap.js';

/** Whether a component instance may call out: 1, or 0 while it allocates memory or cleans up. */
export interface Flags {
  value: unknown;
}

/** One instance of a component, during its instantiation and afterwards. */
export interface Live {
  readonly host: HostCalls;
  /** The exports of its core instances, in the order of instantiation. */
  readonly exports: WebAssembly.Exports[];
  /** The flags of those component instances whose core modules share them. */
  readonly flagged: ReadonlySet<number>;
  readonly flags: (Flags | undefined)[];
  /** The two context words of a task, which adapters between components save and restore. */
  readonly context: [number, number];
  readonly resources: ResourceTables;
}

type CoreFunction = (...args: (number | bigint)[]) => number;

export function exportOf(live: Live, [instance, name]: ExportRef): WebAssembly.ExportValue {
  const value = live.exports[instance]?.[name];
  if (value === undefined) throw new Error(`core instance ${instance} does not export '${name}'`);
  return value;
}

export function coreFunction(live: Live, ref: ExportRef): CoreFunction {
  const value = exportOf(live, ref);
  if (typeof value !== 'function')
    throw new Error(`what core instance ${ref[0]} exports as '${ref[1]}' is not a function`);
  // The type was checked when the component was validated; TypeScript cannot see that.
  return value as CoreFunction;
}

export function memoryOf(live: Live, ref: ExportRef): WebAssembly.Memory {
  const value = exportOf(live, ref);
  if (!(value instanceof WebAssembly.Memory)) throw new Error(`what core instance ${ref[0]} exports is not a memory`);
  return value;
}

/** Returns the memory for a function's parameters and results. A function without `realloc` allocates nothing. */
export function guestMemory(
  live: Live,
  places: { readonly memory: ExportRef; readonly realloc: ExportRef | null; readonly encoding: TextEncoding },
): GuestMemory {
  const { memory, realloc, encoding } = places;
  const found = memoryOf(live, memory);
  return {
    memory: found,
    encoding,
    realloc: realloc === null ? noRoom : coreFunction(live, realloc),
    view: new DataView(found.buffer),
  };
}

function noRoom(): never {
  throw new Error('there is no way to ask for room');
}

export function flagsOf(live: Live, instance: number): Flags {
  return (live.flags[instance] ??= live.flagged.has(instance)
    ? new WebAssembly.Global({ value: 'i32', mutable: true }, 1)
    : { value: 1 });
}

/** Throws if a component instance may not call out. */
export function requireMayLeave(flags: Flags): void {
  if (flags.value !== 1) throw trap('cannot leave component instance');
}
