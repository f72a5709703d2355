import { externName, externType, isDynamic, readAlias, readDeclared, readLabel, readSort } from './component-names.js';
import type { Alias, ExternType, Sort, Watch } from './component-names.js';
import { readType } from './component-types.js';
import type { TypeDefinition } from './component-types.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { WasmReader } from './wasm-reader.js';

/** An item of a component by its sort and index, under a name. */
export interface Named {
  readonly name: string;
  readonly sort: Sort | 'module';
  readonly index: number;
}

/** The encoding in which a function passes strings. Source: component-model/design/mvp/Binary.md, `canonopt`. */
export type StringEncoding = 'utf8' | 'utf16' | 'latin1+utf16';

const encodings: readonly StringEncoding[] = ['utf8', 'utf16', 'latin1+utf16'];

/** A definition of a component. Core items are left out: no other definition sees their types. */
export type Definition<Component> =
  | { readonly is: 'type'; readonly type: TypeDefinition }
  | { readonly is: 'import'; readonly name: string; readonly type: ExternType }
  | { readonly is: 'alias'; readonly alias: Alias }
  | { readonly is: 'lift'; readonly type: number; readonly encoding: StringEncoding }
  | { readonly is: 'lower'; readonly function: number; readonly encoding: StringEncoding }
  | { readonly is: 'component'; readonly component: Component }
  | { readonly is: 'instantiate'; readonly component: number; readonly with: readonly Named[] }
  | { readonly is: 'bundle'; readonly exports: readonly Named[] }
  | ({ readonly is: 'export'; readonly type: ExternType | null } & Named);

type Only<Is extends Definition<never>['is']> = Extract<Definition<never>, { is: Is }>;

export function readTypeDefinition(reader: WasmReader, watch: Watch): Only<'type'> {
  return { is: 'type', type: readType(reader, watch) };
}

export function readAliasDefinition(reader: WasmReader, watch: Watch): Only<'alias'> {
  watch.count();
  return { is: 'alias', alias: readAlias(reader, watch) };
}

export function readImport(reader: WasmReader, watch: Watch): Only<'import'> {
  watch.count();
  return { is: 'import', ...readDeclared(reader, watch) };
}

export function readExport(reader: WasmReader, watch: Watch): Only<'export'> {
  watch.count();
  const name = externName(reader, watch);
  const sort = readSort(reader);
  const index = reader.uint();
  const typed = reader.u8();
  if (typed > 1) throw invalid('it has an export of an unknown form');
  return { is: 'export', name, sort, index, type: typed === 1 ? externType(reader) : null };
}

export function readInstance(reader: WasmReader, watch: Watch): Only<'instantiate' | 'bundle'> {
  watch.count();
  const form = reader.u8();
  if (form > 1) throw invalid('it creates an instance in an unknown form');
  const component = form === 0 ? reader.uint() : null;
  const named = reader.many(() => {
    watch.count();
    const name = component === null ? externName(reader, watch) : readLabel(reader, watch);
    return { name, sort: readSort(reader), index: reader.uint() };
  });
  return component === null ? { is: 'bundle', exports: named } : { is: 'instantiate', component, with: named };
}

/**
 * Reads a lifted or lowered function. Returns `resource` for a function that makes or drops resources, which defines
 * nothing here, and null for any other, which belongs to concurrency.
 */
export function readCanonical(reader: WasmReader): Only<'lift' | 'lower'> | 'resource' | null {
  const code = reader.u8();
  if (code > 0x04) return null;
  if (code >= 0x02) {
    reader.uint();
    return 'resource';
  }
  if (reader.u8() !== 0) throw invalid('it lifts or lowers a function in an unknown form');
  const target = reader.uint();
  let encoding: StringEncoding = 'utf8';
  for (let options = reader.uint(); options > 0; options -= 1) {
    const option = reader.u8();
    if (option > 0x05) return null;
    const named = encodings[option];
    if (named === undefined) reader.uint();
    else encoding = named;
  }
  return code === 0 ? { is: 'lift', type: reader.uint(), encoding } : { is: 'lower', function: target, encoding };
}

/** Returns whether a definition passes around what must be known in advance: components, modules or values. */
export function handsAround(definition: Definition<unknown>): boolean {
  switch (definition.is) {
    case 'alias':
      return isDynamic(definition.alias.sort);
    case 'import':
      return isDynamic(definition.type.sort);
    case 'export':
      return isDynamic(definition.sort);
    case 'instantiate':
      return definition.with.some(({ sort }) => isDynamic(sort));
    case 'bundle':
      return definition.exports.some(({ sort }) => isDynamic(sort));
    case 'type':
    case 'lift':
    case 'lower':
    case 'component':
      return false;
  }
}
