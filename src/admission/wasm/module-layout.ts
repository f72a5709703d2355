import { readGlobalType, readLimits } from './declared-types.js';
import { moduleSection } from './module-sections.js';
import type { ModuleSections } from './module-sections.js';
import { readFunctionForm, readTableElement, readValueType } from './value-types.js';
import { WasmReader } from './wasm-reader.js';

/** The type of a function, as value types of the binary format. */
export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

/** The numbers and types of a core module's items. */
export interface ModuleLayout {
  readonly types: readonly FunctionType[];
  readonly importedFunctions: number;
  readonly importedGlobals: number;
  /** The type index of each function of its own; see {@link types}. */
  readonly functions: readonly number[];
  /** Functions that the host calls: exported functions and the start function. */
  readonly entries: ReadonlySet<number>;
  /** The element type of each table, imported tables first. */
  readonly tables: readonly number[];
}

/** Reads the layout of a valid module. Its declarations must have been vetted. */
export function readLayout(sections: ModuleSections): ModuleLayout {
  const list = <T>(id: number, item: (reader: WasmReader) => T): T[] => {
    const body = sections.get(id);
    if (body === undefined) return [];
    const reader = new WasmReader(body);
    return reader.many(() => item(reader));
  };
  const start = sections.get(moduleSection.start);
  const types = list(moduleSection.type, (reader) => {
    readFunctionForm(reader);
    const values = (): number[] => reader.many(() => readValueType(reader));
    return { parameters: values(), results: values() };
  });
  const imports = list(moduleSection.import, (reader) => {
    reader.name();
    reader.name();
    const kind = reader.u8();
    if (kind === 0) reader.uint();
    const element = kind === 1 ? readTableElement(reader) : 0;
    if (kind === 1 || kind === 2) readLimits(reader);
    if (kind === 3) readGlobalType(reader);
    return { kind, element };
  });
  return {
    types,
    importedFunctions: imports.filter(({ kind }) => kind === 0).length,
    importedGlobals: imports.filter(({ kind }) => kind === 3).length,
    entries: new Set([
      ...list(moduleSection.export, (reader) => {
        reader.name();
        return { kind: reader.u8(), index: reader.uint() };
      }).flatMap(({ kind, index }) => (kind === 0 ? [index] : [])),
      ...(start === undefined ? [] : [new WasmReader(start).uint()]),
    ]),
    functions: list(moduleSection.function, (reader) => reader.uint()),
    tables: [
      ...imports.filter(({ kind }) => kind === 1).map(({ element }) => element),
      ...list(moduleSection.table, (reader) => {
        const element = readTableElement(reader);
        readLimits(reader);
        return element;
      }),
    ],
  };
}
