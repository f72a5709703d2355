import { admissionBounds } from './admission-bounds.js';
import { scanCode } from './code-scan.js';
import type { CodeScan } from './code-scan.js';
import { invalid, WasmReader, wasmSections } from './wasm-reader.js';
import type { Bound } from './wasm-reader.js';

/** Bounds of a memory (in pages of 64 KiB) or a table (in elements). */
export interface WasmLimits {
  readonly minimum: number;
  readonly maximum: number | null;
  readonly shared: boolean;
  /** Indexed by 64 bits. */
  readonly wide: boolean;
}

const kinds = ['function', 'table', 'memory', 'global', 'tag'] as const;
export type WasmKind = (typeof kinds)[number];

/** What a core module asks for, offers and reserves. */
export interface CoreModule {
  readonly imports: readonly { readonly module: string; readonly name: string; readonly kind: WasmKind }[];
  readonly exports: readonly { readonly name: string; readonly kind: WasmKind; readonly index: number }[];
  /** Memories and tables of its own, and imported ones. */
  readonly memories: readonly WasmLimits[];
  readonly tables: readonly WasmLimits[];
  readonly importedMemories: readonly WasmLimits[];
  readonly importedTables: readonly WasmLimits[];
  /** Each function's type as text, such as `() -> i32`, imported functions first. */
  readonly functions: readonly string[];
  readonly types: number;
  /** Parameters and results of all types. */
  readonly typeValues: number;
  readonly globals: number;
  /** Functions that run when it is instantiated: 0 or 1. */
  readonly starts: number;
  readonly elementSegments: number;
  readonly dataSegments: number;
  readonly code: CodeScan;
}

const section = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
} as const;

/** What is listed item by item: more of it than any plugin may have is not even read. */
const listed: Readonly<Record<number, Bound>> = {
  [section.type]: { most: admissionBounds.types, what: 'types' },
  [section.import]: { most: admissionBounds.imports, what: 'imports' },
  [section.function]: { most: admissionBounds.functions, what: 'functions' },
  [section.table]: { most: admissionBounds.tables, what: 'tables', rule: 'table' },
  [section.memory]: { most: admissionBounds.memories, what: 'memories', rule: 'memory' },
  [section.export]: { most: admissionBounds.exports, what: 'exports' },
};
const signature: Bound = { most: admissionBounds.typeValues, what: 'parameters and results' };

const noCode: CodeScan = { features: new Set(), functions: 0, mostLocals: 0, locals: 0, depth: 0 };

/**
 * Reads a core module's declarations and steps through its code. Throws HookvisorError `plugin-invalid` where they cannot
 * be read, which includes the garbage collector's types: what those allocate is bounded by no memory limit. Throws
 * `plugin-refused` where there is more of something than any plugin may have.
 */
export function readCoreModule(bytes: Buffer): CoreModule {
  const bodies = new Map(wasmSections(bytes).map(({ id, body }) => [id, body]));
  const list = <T>(id: number, item: (reader: WasmReader) => T): T[] => {
    const body = bodies.get(id);
    if (body === undefined) return [];
    const reader = new WasmReader(body);
    return reader.many(() => item(reader), listed[id]);
  };
  const count = (id: number): number => {
    const body = bodies.get(id);
    return body === undefined ? 0 : new WasmReader(body).uint();
  };
  const code = bodies.get(section.code);
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
  return {
    imports: imports.map(({ module, name, kind }) => ({ module, name, kind })),
    exports,
    memories: list(section.memory, readLimits),
    tables: list(section.table, tableType),
    importedMemories: imported('memory'),
    importedTables: imported('table'),
    functions: [
      ...imports.flatMap(({ kind, type }) => (kind === 'function' ? [typeOf(type ?? -1)] : [])),
      ...list(section.function, (reader) => typeOf(reader.uint())),
    ],
    types: types.length,
    typeValues: types.reduce((sum, { values }) => sum + values, 0),
    globals: count(section.global),
    starts: bodies.has(section.start) ? 1 : 0,
    elementSegments: count(section.element),
    dataSegments: count(section.data),
    code: code === undefined ? noCode : scanCode(code),
  };
}

/** The flags, minimum and maximum of a memory or table. */
export function readLimits(reader: WasmReader): WasmLimits {
  const flags = reader.u8();
  if (flags > 7) throw invalid('it declares a memory or table of an unknown form');
  const minimum = reader.uint();
  const maximum = (flags & 1) === 0 ? null : reader.uint();
  return { minimum, maximum, shared: (flags & 2) !== 0, wide: (flags & 4) !== 0 };
}

function tableType(reader: WasmReader): WasmLimits {
  valueType(reader);
  return readLimits(reader);
}

function importType(reader: WasmReader, kind: WasmKind): { type?: number; limits?: WasmLimits } {
  if (kind === 'function') return { type: reader.uint() };
  if (kind === 'table') return { limits: tableType(reader) };
  if (kind === 'memory') return { limits: readLimits(reader) };
  if (kind === 'tag') reader.u8();
  else valueType(reader);
  reader.uint();
  return {};
}

function functionType(reader: WasmReader): { text: string; values: number } {
  if (reader.u8() !== 0x60) throw invalid('it uses types of the garbage collector, which no limit covers');
  const values = (): string[] => reader.many(() => valueType(reader), signature);
  const [parameters, results] = [values(), values()];
  const text = `(${parameters.join(', ')}) -> ${results.length === 0 ? '()' : results.join(', ')}`;
  return { text, values: parameters.length + results.length };
}

const valueTypes = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
]);

function valueType(reader: WasmReader): string {
  const type = valueTypes.get(reader.u8());
  if (type === undefined) throw invalid('it uses types of the garbage collector, which no limit covers');
  return type;
}

function kindOf(reader: WasmReader): WasmKind {
  const kind = kinds[reader.u8()];
  if (kind === undefined) throw invalid('it imports or exports something of an unknown kind');
  return kind;
}
