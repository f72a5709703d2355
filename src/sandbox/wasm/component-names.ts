import { invalid } from './wasm-reader.js';
import type { WasmReader } from './wasm-reader.js';

/** Deepest nesting of declarations of types, or of components, that is read. */
const deepest = 16;

/**
 * Reads the type definitions of a component and gives each name in them to `see`. It knows the component model's forms
 * of WASI 0.2, which the world needs, and throws HookvisorError `plugin-invalid` for any other.
 * Source: component-model/design/mvp/Binary.md.
 */
export function readTypes(reader: WasmReader, see: (name: string) => void): void {
  reader.each(() => {
    readType(reader, see, 0);
  });
}

function readType(reader: WasmReader, see: (name: string) => void, depth: number): void {
  if (depth > deepest) throw invalid(`it nests types deeper than ${deepest}`);
  const value = (): void => {
    valueType(reader);
  };
  const optional = (): void => {
    if (reader.u8() === 1) value();
  };
  const label = (): void => {
    see(reader.name());
  };
  const labelled = (): void => {
    label();
    value();
  };
  const form = reader.u8();
  switch (form) {
    case 0x72: // record
      reader.each(labelled);
      return;
    case 0x71: // variant
      reader.each(() => {
        label();
        optional();
        if (reader.u8() !== 0) throw invalid('it refines a variant');
      });
      return;
    case 0x70: // list
    case 0x6b: // option
      value();
      return;
    case 0x6f: // tuple
      reader.each(value);
      return;
    case 0x6e: // flags
    case 0x6d: // enum
      reader.each(label);
      return;
    case 0x6a: // result
      optional();
      optional();
      return;
    case 0x69: // own
    case 0x68: // borrow
      reader.uint();
      return;
    case 0x40: // function
      reader.each(labelled);
      if (reader.u8() === 0) value();
      else reader.u8();
      return;
    case 0x41: // component
    case 0x42: // instance
      reader.each(() => {
        declaration(reader, see, depth);
      });
      return;
    case 0x3f: // resource
      reader.u8();
      optional();
      return;
    default:
      if (form < 0x73 || form > 0x7f) throw invalid(`it uses a type of an unknown form (0x${form.toString(16)})`);
  }
}

function declaration(reader: WasmReader, see: (name: string) => void, depth: number): void {
  const form = reader.u8();
  if (form === 1) readType(reader, see, depth + 1);
  else if (form === 2) readAlias(reader, see);
  else if (form === 3 || form === 4) {
    see(externName(reader));
    externType(reader);
  } else throw invalid(`it declares something of an unknown form (0x${form.toString(16)})`);
}

/** A primitive type in one byte, or the index of a type. */
function valueType(reader: WasmReader): void {
  if (reader.peek() >= 0x64 && reader.peek() <= 0x7f) reader.u8();
  else reader.uint();
}

/** What a section of a component names or points at, by its sort. */
export const sorts = ['core', 'function', 'value', 'type', 'component', 'instance'] as const;
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

/** Gives the sort of what is aliased. */
export function readAlias(reader: WasmReader, see: (name: string) => void): Sort | 'module' {
  const sort = readSort(reader);
  const target = reader.u8();
  reader.uint();
  if (target === 2) reader.uint();
  else if (target < 2) see(reader.name());
  else throw invalid('it aliases something of an unknown form');
  return sort;
}

/** The name of an import or export. */
export function externName(reader: WasmReader): string {
  if (reader.u8() > 1) throw invalid('it names an import or export in an unknown form');
  return reader.name();
}

/** The sort of an import's or export's type. */
export function externType(reader: WasmReader): Sort | 'module' {
  const sort = readSort(reader);
  if (sort === 'type') {
    // Equal to a type, or a resource of its own.
    if (reader.u8() === 0) reader.uint();
  } else if (sort === 'value' && reader.u8() === 1) valueType(reader);
  else reader.uint();
  return sort;
}
