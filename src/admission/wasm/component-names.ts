import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { WasmReader } from './wasm-reader.js';

/** Receives what is read from a component, and throws if it is too much. */
export interface Watch {
  readonly see: (name: string) => void;
  /** Counts one definition, or one part of one. */
  readonly count: () => void;
}

/** The sorts of items that a component can refer to. */
const sorts = ['core', 'function', 'value', 'type', 'component', 'instance'] as const;
export type Sort = (typeof sorts)[number];

/** The core sort of modules, which a component may not pass around. */
const coreModule = 0x11;

/** Reads a sort. Throws HookvisorError `plugin-invalid` if it is unknown. */
export function readSort(reader: WasmReader): Sort | 'module' {
  const sort = sorts[reader.u8()];
  if (sort === undefined) throw invalid('it refers to an item of an unknown sort');
  if (sort !== 'core') return sort;
  return reader.u8() === coreModule ? 'module' : 'core';
}

export function isDynamic(sort: Sort | 'module'): boolean {
  return sort === 'module' || sort === 'component' || sort === 'value';
}

/** Another name for an export of an instance, or for an item of an enclosing component. */
export type Alias =
  | {
      readonly of: 'export' | 'core export';
      readonly sort: Sort | 'module';
      readonly instance: number;
      readonly name: string;
    }
  | { readonly of: 'outer'; readonly sort: Sort | 'module'; readonly outwards: number; readonly index: number };

export function readAlias(reader: WasmReader, watch: Watch): Alias {
  const sort = readSort(reader);
  const target = reader.u8();
  if (target === 2) return { of: 'outer', sort, outwards: reader.uint(), index: reader.uint() };
  if (target > 2) throw invalid('it has an alias of an unknown form');
  const instance = reader.uint();
  return { of: target === 0 ? 'export' : 'core export', sort, instance, name: readLabel(reader, watch) };
}

export function readLabel(reader: WasmReader, watch: Watch): string {
  const name = reader.name();
  watch.see(name);
  return name;
}

/** Reads the name of an import or export. */
export function externName(reader: WasmReader, watch: Watch): string {
  if (reader.u8() > 1) throw invalid('it has an import or export with a name of an unknown form');
  return readLabel(reader, watch);
}

/** The declared type of an import or export, by index; null for a resource of its own. */
export interface ExternType {
  readonly sort: Sort | 'module';
  readonly type: number | null;
}

/** An import or export with its type. */
interface Declared {
  readonly name: string;
  readonly type: ExternType;
}

export function readDeclared(reader: WasmReader, watch: Watch): Declared {
  return { name: externName(reader, watch), type: externType(reader) };
}

export function externType(reader: WasmReader): ExternType {
  const sort = readSort(reader);
  if (sort === 'value') throw invalid('it imports or exports a value');
  if (sort !== 'type') return { sort, type: reader.uint() };
  const bound = reader.u8();
  if (bound > 1) throw invalid('it has a type bound of an unknown form');
  return { sort, type: bound === 0 ? reader.uint() : null };
}
