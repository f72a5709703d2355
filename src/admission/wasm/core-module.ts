import { admissionBounds } from './admission-bounds.js';
import { scanCode } from './code-scan.js';
import type { CodeScan } from './code-scan.js';
import { readConstant } from './constants.js';
import { readGlobalType, readLimits } from './declared-types.js';
import type { WasmLimits } from './declared-types.js';
import { featureError } from './features.js';
import { moduleSection, moduleSections } from './module-sections.js';
import { readDataSegment, readElementSegment } from './segments.js';
import { readFunctionForm, readTableElement, readValueType, valueTypes } from './value-types.js';
import { WasmReader } from './wasm-reader.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { Bound } from './wasm-reader.js';

const kinds = ['function', 'table', 'memory', 'global', 'tag'] as const;
export type WasmKind = (typeof kinds)[number];

/** Imports, exports, declarations and code statistics of a core module. */
export interface CoreModule {
  readonly imports: readonly { readonly module: string; readonly name: string; readonly kind: WasmKind }[];
  readonly exports: readonly { readonly name: string; readonly kind: WasmKind; readonly index: number }[];
  /** Memories and tables that it declares, then those that it imports. */
  readonly memories: readonly WasmLimits[];
  readonly tables: readonly WasmLimits[];
  readonly importedMemories: readonly WasmLimits[];
  readonly importedTables: readonly WasmLimits[];
  /** Type of each function as text, such as `() -> i32`, imported functions first. */
  readonly functions: readonly string[];
  readonly types: number;
  /** Parameters and results of all types. */
  readonly typeValues: number;
  readonly globals: number;
  /** Start functions: 0 or 1. */
  readonly starts: number;
  readonly elementSegments: number;
  readonly dataSegments: number;
  readonly code: CodeScan;
}

const section = moduleSection;

/** Bounds on sections that are read into lists. A longer list is refused before it is read. */
const listed: Readonly<Record<number, Bound>> = {
  [section.type]: { most: admissionBounds.types, what: 'types' },
  [section.import]: { most: admissionBounds.imports, what: 'imports' },
  [section.function]: { most: admissionBounds.functions, what: 'functions' },
  [section.table]: { most: admissionBounds.tables, what: 'tables', rule: 'table' },
  [section.memory]: { most: admissionBounds.memories, what: 'memories', rule: 'memory' },
  [section.global]: { most: admissionBounds.globals, what: 'globals' },
  [section.export]: { most: admissionBounds.exports, what: 'exports' },
};
const signature: Bound = { most: admissionBounds.typeValues, what: 'parameters and results' };

/**
 * Reads a core module's declarations and steps through its code. Every byte must be of a known kind: V8 could find the
 * end of an unknown item at another place. Throws HookvisorError `plugin-invalid` if the module cannot be read, and
 * `plugin-refused` for types that no plug-in may use or if a bound is exceeded.
 */
export function readCoreModule(bytes: Buffer): CoreModule {
  const bodies = moduleSections(bytes);
  const list = <T>(id: number, item: (reader: WasmReader) => T): T[] => {
    const found: T[] = [];
    each(id, (reader) => found.push(item(reader)));
    return found;
  };
  /** Returns the number of items. */
  const each = (id: number, item: (reader: WasmReader) => void): number => {
    const body = bodies.get(id);
    if (body === undefined) return 0;
    const reader = new WasmReader(body);
    let count = 0;
    reader.each(() => {
      item(reader);
      count += 1;
    }, listed[id]);
    reader.end();
    return count;
  };
  const types = list(section.type, functionType);
  const imports = list(section.import, (reader) => {
    const [module, name] = [reader.name(), reader.name()];
    const kind = kindOf(reader);
    return { module, name, kind, ...importType(reader, kind) };
  });
  const exports = list(section.export, (reader) => ({
    name: reader.name(),
    kind: kindOf(reader),
    index: reader.uint(),
  }));
  const typeOf = (index: number): string => types[index]?.text ?? '?';
  const imported = (kind: WasmKind): WasmLimits[] =>
    imports.flatMap((item) => (item.kind === kind && item.limits !== undefined ? [item.limits] : []));
  const own = list(section.function, (reader) => reader.uint());
  const importedGlobals = imports.filter(({ kind }) => kind === 'global').length;
  return {
    imports: imports.map(({ module, name, kind }) => ({ module, name, kind })),
    exports,
    memories: list(section.memory, readLimits),
    tables: list(section.table, tableType),
    importedMemories: imported('memory'),
    importedTables: imported('table'),
    functions: [
      ...imports.flatMap(({ kind, type }) => (kind === 'function' ? [typeOf(type ?? -1)] : [])),
      ...own.map(typeOf),
    ],
    types: types.length,
    typeValues: types.reduce((sum, { values }) => sum + values, 0),
    globals: each(section.global, (reader) => {
      readGlobalType(reader);
      readConstant(reader, importedGlobals);
    }),
    starts: single(bodies.get(section.start)) === null ? 0 : 1,
    elementSegments: each(section.element, (reader) => {
      readElementSegment(reader, importedGlobals);
    }),
    dataSegments: countedData(
      bodies.get(section.dataCount),
      each(section.data, (reader) => {
        readDataSegment(reader, importedGlobals);
      }),
    ),
    code: scanCode(bodies.get(section.code), { functions: own.length, types: types.length }),
  };
}

/** Returns the only number in a section, or null without the section. */
function single(body: Buffer | undefined): number | null {
  if (body === undefined) return null;
  const reader = new WasmReader(body);
  const value = reader.uint();
  reader.end();
  return value;
}

/** Returns the number of data segments, which the data count section may also declare. */
function countedData(body: Buffer | undefined, count: number): number {
  if ((single(body) ?? count) !== count)
    throw invalid('a core module in it has a different number of data segments than it declares');
  return count;
}

function functionType(reader: WasmReader): { text: string; values: number } {
  readFunctionForm(reader);
  const values = (): string[] => reader.many(() => valueTypes.get(readValueType(reader)) ?? '?', signature);
  const [parameters, results] = [values(), values()];
  const text = `(${parameters.join(', ')}) -> ${results.length === 0 ? '()' : results.join(', ')}`;
  return { text, values: parameters.length + results.length };
}

function tableType(reader: WasmReader): WasmLimits {
  readTableElement(reader);
  return readLimits(reader);
}

function importType(reader: WasmReader, kind: WasmKind): { type?: number; limits?: WasmLimits } {
  switch (kind) {
    case 'function':
      return { type: reader.uint() };
    case 'table':
      return { limits: tableType(reader) };
    case 'memory':
      return { limits: readLimits(reader) };
    case 'global':
      readGlobalType(reader);
      return {};
    case 'tag':
      throw featureError('exception-handling');
  }
}

function kindOf(reader: WasmReader): WasmKind {
  const kind = kinds[reader.u8()];
  if (kind === undefined) throw invalid('it imports or exports an item of an unknown kind');
  return kind;
}
