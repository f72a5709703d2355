import { admissionBounds } from './admission-bounds.js';
import { externName, externType, readAlias, readSort, readTypes } from './component-names.js';
import type { Sort } from './component-names.js';
import { requireAtMost } from './objection.js';
import { invalid, WasmReader, wasmLayer, wasmSections } from './wasm-reader.js';

/** What a component asks for and offers, and the core modules inside it. */
export interface ComponentBinary {
  readonly imports: readonly { readonly name: string; readonly kind: string }[];
  readonly exports: readonly { readonly name: string; readonly kind: string }[];
  /** Of nested components too, each with how many times it is instantiated in all. */
  readonly coreModules: readonly { readonly bytes: Buffer; readonly instances: number }[];
  /** How many core modules it instantiates, those of nested components as often as these are instantiated. */
  readonly coreInstances: number;
  /** How many components it instantiates, itself included. */
  readonly instances: number;
  /** Whether it uses asynchronous functions, threads or streams. */
  readonly concurrent: boolean;
  /** Whether it hands modules or components around, or runs something of its own at the start. */
  readonly dynamic: boolean;
  /** Every name in it, but those inside its core modules. */
  readonly names: ReadonlySet<string>;
}

const section = {
  coreModule: 1,
  coreInstance: 2,
  coreType: 3,
  component: 4,
  instance: 5,
  alias: 6,
  type: 7,
  canon: 8,
  start: 9,
  import: 10,
  export: 11,
  value: 12,
} as const;

/** Deepest nesting of components in components. */
const deepest = 8;

/** What was met so far in a component and all that is inside it. */
interface Tally {
  parts: number;
  adapters: number;
}

/**
 * Reads a component's declarations, without running it. Throws HookvisorError `plugin-invalid`, or `plugin-refused` where
 * there is more of something than any plugin may have.
 */
export function readComponent(bytes: Buffer, depth = 0, tally: Tally = { parts: 0, adapters: 0 }): ComponentBinary {
  if (depth > deepest) throw invalid(`it nests components deeper than ${deepest}`);
  const names = new Set<string>();
  const see = (name: string): void => {
    names.add(name);
    requireAtMost(names.size, admissionBounds.names, 'names');
  };
  const countPart = (): void => {
    tally.parts += 1;
    requireAtMost(tally.parts, admissionBounds.parts, 'modules and components inside it');
  };
  const imports: { name: string; kind: Sort | 'module' }[] = [];
  const exports: { name: string; kind: Sort | 'module' }[] = [];
  const modules: { bytes: Buffer; instances: number }[] = [];
  const nested: { component: ComponentBinary; instances: number }[] = [];
  let [concurrent, dynamic] = [false, false];
  // An index that is not there belongs to what was handed in, which `dynamic` tells, or to an invalid component.
  const count = (one: { instances: number } | undefined): void => {
    if (one === undefined) dynamic = true;
    else one.instances += 1;
  };
  for (const { id, body } of wasmSections(bytes)) {
    const reader = new WasmReader(body);
    switch (id) {
      case 0:
        break;
      case section.coreModule:
        countPart();
        modules.push({ bytes: body, instances: 0 });
        break;
      case section.component:
        countPart();
        if (wasmLayer(body) !== 'component') throw invalid('a component inside it is none');
        nested.push({ component: readComponent(body, depth + 1, tally), instances: 0 });
        break;
      case section.coreInstance:
        reader.each(() => {
          const module = coreInstance(reader, see);
          if (module !== null) count(modules[module]);
        });
        break;
      case section.instance:
        reader.each(() => {
          const made = instance(reader, see);
          if (made.component !== null) count(nested[made.component]);
          if (made.dynamic) dynamic = true;
        });
        break;
      case section.alias:
        reader.each(() => {
          if (isDynamic(readAlias(reader, see))) dynamic = true;
        });
        break;
      case section.type:
        readTypes(reader, see);
        break;
      case section.canon:
        if (!plainCanonical(reader, tally)) concurrent = true;
        break;
      case section.import:
        reader.each(() => imports.push({ name: externName(reader), kind: externType(reader) }), {
          most: admissionBounds.imports,
          what: 'imports',
        });
        break;
      case section.export:
        reader.each(() => exports.push(exported(reader)), { most: admissionBounds.exports, what: 'exports' });
        break;
      case section.coreType:
      case section.start:
      case section.value:
        dynamic = true;
        break;
      default:
        throw invalid(`it has a section of an unknown kind (${id})`);
    }
  }
  for (const { name, kind } of [...imports, ...exports]) {
    see(name);
    if (isDynamic(kind)) dynamic = true;
  }
  for (const { component } of nested) for (const name of component.names) names.add(name);
  const total = (own: number, of: (component: ComponentBinary) => number): number =>
    nested.reduce((sum, { component, instances }) => sum + instances * of(component), own);
  return {
    imports,
    exports,
    coreModules: [
      ...modules,
      ...nested.flatMap(({ component, instances }) =>
        component.coreModules.map((module) => ({ ...module, instances: module.instances * instances })),
      ),
    ],
    coreInstances: total(
      modules.reduce((sum, { instances }) => sum + instances, 0),
      ({ coreInstances }) => coreInstances,
    ),
    instances: total(1, ({ instances }) => instances),
    concurrent: concurrent || nested.some(({ component }) => component.concurrent),
    dynamic: dynamic || nested.some(({ component }) => component.dynamic),
    names,
  };
}

function isDynamic(sort: Sort | 'module'): boolean {
  return sort === 'module' || sort === 'component' || sort === 'value';
}

function exported(reader: WasmReader): { name: string; kind: Sort | 'module' } {
  const name = externName(reader);
  const kind = readSort(reader);
  reader.uint();
  if (reader.u8() === 1) externType(reader);
  return { name, kind };
}

/** The index of the module that is instantiated; null for a bundle of exports. */
function coreInstance(reader: WasmReader, see: (name: string) => void): number | null {
  const module = reader.u8() === 0 ? reader.uint() : null;
  reader.each(() => {
    see(reader.name());
    reader.u8();
    reader.uint();
  });
  return module;
}

/** The index of the component that is instantiated; null for a bundle of exports. */
function instance(reader: WasmReader, see: (name: string) => void): { component: number | null; dynamic: boolean } {
  const component = reader.u8() === 0 ? reader.uint() : null;
  let dynamic = false;
  reader.each(() => {
    see(component === null ? externName(reader) : reader.name());
    if (isDynamic(readSort(reader))) dynamic = true;
    reader.uint();
  });
  return { component, dynamic };
}

/** Whether all are of the plain kind: lift, lower and those of resources. Any other belongs to concurrency. */
function plainCanonical(reader: WasmReader, tally: Tally): boolean {
  for (let left = reader.uint(); left > 0; left -= 1) {
    tally.adapters += 1;
    requireAtMost(tally.adapters, admissionBounds.adapters, 'functions that it lifts or lowers');
    const code = reader.u8();
    if (code > 0x04) return false;
    if (code < 0x02) reader.u8();
    reader.uint();
    if (code >= 0x02) continue;
    for (let options = reader.uint(); options > 0; options -= 1) {
      const option = reader.u8();
      if (option > 0x05) return false;
      if (option >= 0x03) reader.uint();
    }
    if (code === 0x00) reader.uint();
  }
  return true;
}
