import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { WasmReader } from './wasm-reader.js';

/** Is told what is read in a component, and throws to end a flood of it. */
export interface Watch {
  readonly see: (name: string) => void;
  /** One more definition, or part of one. */
  readonly count: () => void;
}

/** What a section of a component names or points at, by its sort. */
const sorts = ['core', 'function', 'value', 'type', 'component', 'instance'] as const;
export type Sort = (typeof sorts)[number];

/** The sort of a core item, where it is one: a component may not hand modules around. */
const coreModule = 0x11;

/** Throws HookvisorError `plugin-invalid` for an unknown sort. */
export function readSort(reader: WasmReader): Sort | 'module' {
  const sort = sorts[reader.u8()];
  if (sort === undefined) throw invalid('it names something of an unknown sort');
  if (sort !== 'core') return sort;
  return reader.u8() === coreModule ? 'module' : 'core';
}

export function isDynamic(sort: Sort | 'module'): boolean {
  return sort === 'module' || sort === 'component' || sort === 'value';
}

/** Another name for an export of an instance, or for something of a component around. */
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
  if (target > 2) throw invalid('it aliases something of an unknown form');
  const instance = reader.uint();
  return { of: target === 0 ? 'export' : 'core export', sort, instance, name: readLabel(reader, watch) };
}

export function readLabel(reader: WasmReader, watch: Watch): string {
  const name = reader.name();
  watch.see(name);
  return name;
}

/** The name of an import or export. */
export function externName(reader: WasmReader, watch: Watch): string {
  if (reader.u8() > 1) throw invalid('it names an import or export in an unknown form');
  return readLabel(reader, watch);
}

/** What an import or export is said to be: of the type with this index; null for a resource of its own. */
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
  if (bound > 1) throw invalid('it bounds a type in an unknown form');
  return { sort, type: bound === 0 ? reader.uint() : null };
}
