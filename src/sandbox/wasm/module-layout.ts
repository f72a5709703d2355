import { WasmReader } from './wasm-reader.js';

/** A function's type, as value types of the binary format. */
export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

/** How many there are of everything in a core module, and of which types. */
export interface ModuleLayout {
  readonly types: readonly FunctionType[];
  readonly importedFunctions: number;
  readonly importedGlobals: number;
  /** The type of each function of its own, by place in {@link types}. */
  readonly functions: readonly number[];
  /** The functions that the host calls: exported ones and the one that starts the module. */
  readonly entries: ReadonlySet<number>;
  /** What each table holds, imported tables first. */
  readonly tables: readonly number[];
}

/** Reads the layout of a valid module whose declarations have been vetted, from its sections by id. */
export function readLayout(sections: ReadonlyMap<number, Buffer>): ModuleLayout {
  const list = <T>(id: number, item: (reader: WasmReader) => T): T[] => {
    const body = sections.get(id);
    if (body === undefined) return [];
    const reader = new WasmReader(body);
    return reader.many(() => item(reader));
  };
  const start = sections.get(8);
  const types = list(1, (reader) => {
    reader.u8();
    const [parameters, results] = [reader.many(() => reader.u8()), reader.many(() => reader.u8())];
    return { parameters, results };
  });
  const imports = list(2, (reader) => {
    reader.name();
    reader.name();
    const kind = reader.u8();
    if (kind === 0) reader.uint();
    const element = kind === 1 ? reader.u8() : 0;
    if (kind === 1 || kind === 2) skipLimits(reader);
    if (kind === 3) reader.take(2);
    return { kind, element };
  });
  return {
    types,
    importedFunctions: imports.filter(({ kind }) => kind === 0).length,
    importedGlobals: imports.filter(({ kind }) => kind === 3).length,
    entries: new Set([
      ...list(7, (reader) => {
        reader.name();
        return { kind: reader.u8(), index: reader.uint() };
      }).flatMap(({ kind, index }) => (kind === 0 ? [index] : [])),
      ...(start === undefined ? [] : [new WasmReader(start).uint()]),
    ]),
    functions: list(3, (reader) => reader.uint()),
    tables: [
      ...imports.filter(({ kind }) => kind === 1).map(({ element }) => element),
      ...list(4, (reader) => {
        const element = reader.u8();
        skipLimits(reader);
        return element;
      }),
    ],
  };
}

function skipLimits(reader: WasmReader): void {
  const flags = reader.u8();
  reader.uint();
  if ((flags & 1) !== 0) reader.uint();
}
