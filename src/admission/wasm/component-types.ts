import { readAlias, readDeclared, readLabel } from './component-names.js';
import type { Alias, ExternType, Watch } from './component-names.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { WasmReader } from './wasm-reader.js';

/** Deepest nesting of declarations inside a type. */
const deepest = 16;

/** Value types without parts. Source: component-model/design/mvp/Binary.md, `primvaltype`. */
const primitives: ReadonlyMap<number, string> = new Map([
  ...(['bool', 's8', 'u8', 's16', 'u16', 's32', 'u32', 's64', 'u64', 'f32', 'f64', 'char', 'string'] as const).map(
    (name, at): [number, string] => [0x7f - at, name],
  ),
  [0x64, 'error-context'],
]);

/** A primitive's name, or the index of a type. */
export type TypeRef = string | number;

/**
 * A type definition. `labels` are the names of fields, cases or parameters, in order. `parts` are their types, null for
 * a case without a payload. A function has its result as one more part; a `result` has two parts.
 */
export interface TypeDefinition {
  readonly form: TypeForm;
  readonly labels: readonly string[];
  readonly parts: readonly (TypeRef | null)[];
  /** What an instance type declares; null for any other type. */
  readonly declarations: readonly Declaration[] | null;
}

export type TypeForm =
  | ('primitive' | 'record' | 'variant' | 'list' | 'option' | 'tuple' | 'flags' | 'enum' | 'result')
  | ('own' | 'borrow' | 'resource' | 'function' | 'instance' | 'component');

/** A declaration in an instance type. */
export type Declaration =
  | { readonly is: 'type'; readonly type: TypeDefinition }
  | { readonly is: 'alias'; readonly alias: Alias }
  | { readonly is: 'export'; readonly name: string; readonly type: ExternType };

/**
 * Reads a type definition and reports what it reads to `watch`. Supports the types of the component model in WASI 0.2,
 * which the world needs. Throws HookvisorError `plugin-invalid` for any other. Source:
 * component-model/design/mvp/Binary.md.
 */
export function readType(reader: WasmReader, watch: Watch, depth = 0): TypeDefinition {
  if (depth > deepest) throw invalid(`it nests types deeper than ${deepest}`);
  watch.count();
  const form = reader.u8();
  switch (form) {
    case 0x72:
      return labelled('record', reader, watch, () => readTypeRef(reader));
    case 0x71:
      return labelled('variant', reader, watch, () => {
        const payload = optional(reader);
        if (reader.u8() !== 0) throw invalid('it refines a variant');
        return payload;
      });
    case 0x70:
      return plain('list', [readTypeRef(reader)]);
    case 0x6b:
      return plain('option', [readTypeRef(reader)]);
    case 0x6f:
      return plain(
        'tuple',
        reader.many(() => {
          watch.count();
          return readTypeRef(reader);
        }),
      );
    case 0x6e:
      return { ...plain('flags'), labels: readLabels(reader, watch) };
    case 0x6d:
      return { ...plain('enum'), labels: readLabels(reader, watch) };
    case 0x6a:
      return plain('result', [optional(reader), optional(reader)]);
    case 0x69:
    case 0x68:
      return plain(form === 0x69 ? 'own' : 'borrow', [reader.uint()]);
    case 0x40: {
      const { labels, parts } = labelled('function', reader, watch, () => readTypeRef(reader));
      return { ...plain('function', [...parts, readResult(reader)]), labels };
    }
    case 0x42:
      return { ...plain('instance'), declarations: readDeclarations(reader, watch, depth) };
    case 0x41:
      readDeclarations(reader, watch, depth, true);
      return plain('component');
    case 0x3f:
      if (reader.u8() !== 0x7f) throw unknownForm('a resource', 0x3f);
      if (isPresent(reader)) reader.uint();
      return plain('resource');
    default: {
      const name = primitives.get(form);
      if (name === undefined) throw unknownForm('a type', form);
      return plain('primitive', [name]);
    }
  }
}

const plain = (form: TypeForm, parts: TypeDefinition['parts'] = []): TypeDefinition => ({
  ...{ form, labels: [], parts, declarations: null },
});

function labelled(form: TypeForm, reader: WasmReader, watch: Watch, part: () => TypeRef | null): TypeDefinition {
  const labels: string[] = [];
  const parts = reader.many(() => {
    watch.count();
    labels.push(readLabel(reader, watch));
    return part();
  });
  return { form, labels, parts, declarations: null };
}

function readLabels(reader: WasmReader, watch: Watch): string[] {
  return reader.many(() => {
    watch.count();
    return readLabel(reader, watch);
  });
}

function readResult(reader: WasmReader): TypeRef | null {
  const count = reader.u8();
  if (count === 0) return readTypeRef(reader);
  if (count !== 1 || reader.u8() !== 0) throw invalid('it names the results of a function');
  return null;
}

/** Reads the imports of a component type only for their names, because no component may be passed around. */
function readDeclarations(reader: WasmReader, watch: Watch, depth: number, imports = false): Declaration[] {
  return reader.many((): Declaration => {
    watch.count();
    const form = reader.u8();
    if (form === 1) return { is: 'type', type: readType(reader, watch, depth + 1) };
    if (form === 2) return { is: 'alias', alias: readAlias(reader, watch) };
    if (form === 4 || (form === 3 && imports)) return { is: 'export', ...readDeclared(reader, watch) };
    throw unknownForm('a declaration', form);
  });
}

function optional(reader: WasmReader): TypeRef | null {
  return isPresent(reader) ? readTypeRef(reader) : null;
}

function isPresent(reader: WasmReader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw unknownForm('an option', flag);
  return flag === 1;
}

/** Reads a primitive (one byte) or the index of a type (a signed number of at most 33 bits). */
function readTypeRef(reader: WasmReader): TypeRef {
  const first = reader.peek();
  if (first < 0x40 || first > 0x7f) return reader.index();
  const name = primitives.get(reader.u8());
  if (name === undefined) throw unknownForm('a type', first);
  return name;
}

function unknownForm(what: string, form: number): Error {
  return invalid(`it has ${what} of an unknown form (0x${form.toString(16)})`);
}
