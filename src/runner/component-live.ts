import type { ExportRef, TextEncoding } from '../contract/component-plan.js';
import type { GuestMemory } from './guest-memory.js';
import type { HostCalls } from './host.js';
import type { ResourceTables } from './resource-tables.js';
import { trap } from './trap.js';

/** Whether a component instance may call out: 1, and 0 while it is asked for room or cleans up. */
export interface Flags {
  value: unknown;
}

/** One instance of a component, while it is put together and afterwards. */
export interface Live {
  readonly host: HostCalls;
  /** What its core instances export, in the order in which they are made. */
  readonly exports: WebAssembly.Exports[];
  /** The component instances whose flags core modules share. */
  readonly flagged: ReadonlySet<number>;
  readonly flags: (Flags | undefined)[];
  /** The two words of a task that adapters between components save and restore. */
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
    throw new Error(`what core instance ${ref[0]} exports as '${ref[1]}' is no function`);
  // Its type was checked when the component was validated; JavaScript cannot see it.
  return value as CoreFunction;
}

export function memoryOf(live: Live, ref: ExportRef): WebAssembly.Memory {
  const value = exportOf(live, ref);
  if (!(value instanceof WebAssembly.Memory)) throw new Error(`what core instance ${ref[0]} exports is no memory`);
  return value;
}

/** The memory for a function's parameters and results. One without `realloc` needs no room. */
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

/** Throws where a component instance may not call out. */
export function requireMayLeave(flags: Flags): void {
  if (flags.value !== 1) throw trap('cannot leave component instance');
}
