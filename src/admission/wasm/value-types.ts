import { featureError, typeError } from './features.js';
import type { WasmFeature } from './features.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { WasmReader } from './wasm-reader.js';

/**
 * The value types that a plug-in may use. The list is closed: every type takes one byte, so all versions of V8 agree
 * where a type ends.
 */
export const valueTypes: ReadonlyMap<number, string> = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
]);

const references: ReadonlySet<number> = new Set([0x70, 0x6f]);
const noType = 0x40;

/** Types of other proposals with name and proposal, for messages. */
const foreign: ReadonlyMap<number, readonly [string, WasmFeature]> = new Map([
  [0x78, ['i8', 'garbage-collection']],
  [0x77, ['i16', 'garbage-collection']],
  [0x75, ['nullcontref', 'stack-switching']],
  [0x74, ['nullexnref', 'exception-handling']],
  [0x73, ['nullfuncref', 'garbage-collection']],
  [0x72, ['nullexternref', 'garbage-collection']],
  [0x71, ['nullref', 'garbage-collection']],
  [0x6e, ['anyref', 'garbage-collection']],
  [0x6d, ['eqref', 'garbage-collection']],
  [0x6c, ['i31ref', 'garbage-collection']],
  [0x6b, ['structref', 'garbage-collection']],
  [0x6a, ['arrayref', 'garbage-collection']],
  [0x69, ['exnref', 'exception-handling']],
  [0x68, ['contref', 'stack-switching']],
  [0x67, ['stringref', 'garbage-collection']],
]);

/** Forms of type definitions other than functions. */
const definitions: ReadonlyMap<number, readonly [string, WasmFeature]> = new Map([
  [0x5f, ['structures', 'garbage-collection']],
  [0x5e, ['arrays', 'garbage-collection']],
  [0x5d, ['continuations', 'stack-switching']],
  [0x50, ['subtypes', 'garbage-collection']],
  [0x4f, ['subtypes', 'garbage-collection']],
  [0x4e, ['recursive types', 'garbage-collection']],
]);

const allowedTypes = `only ${[...valueTypes.values()].join(', ')} are allowed`;

/** Reads a value type. Throws HookvisorError `plugin-refused` if it is not in the list. */
export function readValueType(reader: WasmReader): number {
  const type = reader.u8();
  if (!valueTypes.has(type)) throw foreignType(type, reader);
  return type;
}

/** Reads the element type of a table or an element segment. */
export function readReferenceType(reader: WasmReader): number {
  const type = readValueType(reader);
  if (!references.has(type)) throw invalid(`it has a table of ${valueTypes.get(type) ?? 'numbers'}`);
  return type;
}

/** Reads the operand of `ref.null`, which is encoded like the allowed reference types. */
export function readHeapType(reader: WasmReader): void {
  readReferenceType(reader);
}

/** Reads the element type of a table. Throws HookvisorError `plugin-refused` if the table has an initial value. */
export function readTableElement(reader: WasmReader): number {
  if (reader.peek() === noType) throw featureError('function-references');
  return readReferenceType(reader);
}

/** Reads a block type. Returns its type index, or -1 for no result or a single one. */
export function readBlockType(reader: WasmReader): number {
  const first = reader.peek();
  if (first === noType) {
    reader.u8();
    return -1;
  }
  // One byte with the sign bit set is a value type.
  if (first > noType && first < 0x80) {
    readValueType(reader);
    return -1;
  }
  const type = reader.s33();
  if (type < 0) throw typeError('a value type in more than one byte', 'unknown', allowedTypes);
  return type;
}

/** Reads the first byte of a type definition, which must be a function type. */
export function readFunctionForm(reader: WasmReader): void {
  const form = reader.u8();
  if (form === 0x60) return;
  const [what, feature] = definitions.get(form) ?? [`the type definition 0x${hex(form)}`, 'unknown' as const];
  throw typeError(what, feature, 'only function types are allowed');
}

function foreignType(type: number, reader: WasmReader): Error {
  if (type === 0x63 || type === 0x64) {
    const name = `${type === 0x63 ? 'ref null' : 'ref'} ${heapTypeName(reader)}`;
    return typeError(`the value type '${name}'`, 'function-references', allowedTypes);
  }
  const [name, feature] = foreign.get(type) ?? [`0x${hex(type)}`, 'unknown' as const];
  return typeError(`the value type '${name}'`, feature, allowedTypes);
}

/** Returns a name for the message. */
function heapTypeName(reader: WasmReader): string {
  const first = reader.peek();
  if (first >= noType && first < 0x80) {
    const name = valueTypes.get(first) ?? foreign.get(first)?.[0];
    return name?.endsWith('ref') === true ? name.slice(0, -'ref'.length) : `0x${hex(first)}`;
  }
  return String(reader.s33());
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
