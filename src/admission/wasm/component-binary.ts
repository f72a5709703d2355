import { admissionBounds } from './admission-bounds.js';
import {
  handsAround,
  readAliasDefinition,
  readCanonical,
  readExport,
  readImport,
  readInstance,
  readTypeDefinition,
} from './component-definitions.js';
import type { Definition, StringEncoding } from './component-definitions.js';
import type { Watch } from './component-names.js';
import { requireAtMost } from '../../contract/objection.js';
import { WasmReader, wasmSections } from './wasm-reader.js';
import { invalidPlugin as invalid, wasmLayer } from '../../shared/wasm-layer.js';

/** Imports, exports, definitions and core modules of a component. */
export interface ComponentBinary {
  readonly imports: readonly { readonly name: string; readonly kind: string }[];
  readonly exports: readonly { readonly name: string; readonly kind: string }[];
  /** Its definitions, in order. */
  readonly definitions: readonly Definition<ComponentBinary>[];
  /** The string encodings of its functions, including those of nested components. */
  readonly encodings: ReadonlySet<StringEncoding>;
  /** Includes those of nested components. `instances` counts all instances of a module. */
  readonly coreModules: readonly { readonly bytes: Buffer; readonly instances: number }[];
  /** How many core modules it instantiates, with those of a nested component counted once for each instance of it. */
  readonly coreInstances: number;
  /** How many components it instantiates, itself included. */
  readonly instances: number;
  /** Whether it uses asynchronous functions, threads or streams. */
  readonly concurrent: boolean;
  /** Whether it passes modules, components or values around, or has a start function. */
  readonly dynamic: boolean;
  /** Every name in it, except those inside its core modules. */
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

/** Totals so far for the outermost component and everything nested in it. */
interface Tally {
  parts: number;
  adapters: number;
  definitions: number;
}

/** What is collected from the sections of one component. */
interface Reading {
  readonly definitions: Definition<ComponentBinary>[];
  readonly encodings: Set<StringEncoding>;
  readonly modules: { bytes: Buffer; instances: number }[];
  readonly nested: { component: ComponentBinary; instances: number }[];
  readonly names: Set<string>;
  concurrent: boolean;
  dynamic: boolean;
}

/**
 * Reads a component's declarations without running it. Throws HookvisorError `plugin-invalid` if it cannot be read, or
 * `plugin-refused` if it exceeds a bound.
 */
export function readComponent(
  bytes: Buffer,
  depth = 0,
  tally: Tally = { parts: 0, adapters: 0, definitions: 0 },
): ComponentBinary {
  if (depth > deepest) throw invalid(`it nests components deeper than ${deepest}`);
  const reading: Reading = {
    ...{ definitions: [], encodings: new Set(), modules: [], nested: [], names: new Set() },
    ...{ concurrent: false, dynamic: false },
  };
  for (const { id, body } of wasmSections(bytes)) readSection(id, body, reading, { tally, depth });
  return summary(reading);
}

function watchOver({ names }: Reading, tally: Tally): Watch {
  return {
    see: (name) => {
      names.add(name);
      requireAtMost(names.size, admissionBounds.names, 'names');
    },
    count: () => {
      tally.definitions += 1;
      requireAtMost(tally.definitions, admissionBounds.definitions, 'definitions');
    },
  };
}

function readSection(id: number, body: Buffer, reading: Reading, { tally, depth }: { tally: Tally; depth: number }) {
  const { definitions, modules, nested } = reading;
  const reader = new WasmReader(body);
  const watch = watchOver(reading, tally);
  const countPart = (): void => {
    tally.parts += 1;
    requireAtMost(tally.parts, admissionBounds.parts, 'modules and components inside it');
  };
  const each = (
    read: (from: WasmReader, by: Watch) => Definition<ComponentBinary>,
    bound?: { most: number; what: string },
  ) => {
    reader.each(() => definitions.push(read(reader, watch)), bound);
  };
  switch (id) {
    case 0:
      return;
    case section.coreModule:
      countPart();
      modules.push({ bytes: body, instances: 0 });
      return;
    case section.component: {
      countPart();
      if (wasmLayer(body) !== 'component') throw invalid('a component inside it is not a component');
      const component = readComponent(body, depth + 1, tally);
      nested.push({ component, instances: 0 });
      definitions.push({ is: 'component', component });
      return;
    }
    case section.coreInstance:
      reader.each(() => {
        const module = coreInstance(reader, watch);
        if (module !== null) count(reading, modules[module]);
      });
      break;
    case section.instance:
      each(readInstance);
      break;
    case section.alias:
      each(readAliasDefinition);
      break;
    case section.type:
      each(readTypeDefinition);
      break;
    case section.canon:
      if (!readCanonicals(reader, reading, tally)) {
        reading.concurrent = true;
        return;
      }
      break;
    case section.import:
      each(readImport, { most: admissionBounds.imports, what: 'imports' });
      break;
    case section.export:
      each(readExport, { most: admissionBounds.exports, what: 'exports' });
      break;
    case section.coreType:
    case section.start:
    case section.value:
      reading.dynamic = true;
      return;
    default:
      throw invalid(`it has a section of an unknown kind (${id})`);
  }
  if (!reader.done) throw invalid('a section in it is longer than its contents');
}

/** A missing index refers to an import, or the component is invalid. */
function count(reading: Reading, one: { instances: number } | undefined): void {
  if (one === undefined) reading.dynamic = true;
  else one.instances += 1;
}

/** Returns false at the first one for concurrency: nothing after it can be read. */
function readCanonicals(reader: WasmReader, { definitions, encodings }: Reading, tally: Tally): boolean {
  for (let left = reader.uint(); left > 0; left -= 1) {
    tally.adapters += 1;
    requireAtMost(tally.adapters, admissionBounds.adapters, 'functions that it lifts or lowers');
    const canonical = readCanonical(reader);
    if (canonical === null) return false;
    if (canonical === 'resource') continue;
    encodings.add(canonical.encoding);
    definitions.push(canonical);
  }
  return true;
}

/** Returns the index of the instantiated module, or null for a bundle of exports. */
function coreInstance(reader: WasmReader, { see }: Watch): number | null {
  const form = reader.u8();
  if (form > 1) throw invalid('it creates an instance in an unknown form');
  const module = form === 0 ? reader.uint() : null;
  reader.each(() => {
    see(reader.name());
    reader.u8();
    reader.uint();
  });
  return module;
}

function summary(reading: Reading): ComponentBinary {
  const { definitions, modules, nested } = reading;
  for (const definition of definitions) {
    // Only nested components can be instantiated: none can be imported.
    if (definition.is === 'instantiate') count(reading, nested[definition.component]);
    if (handsAround(definition)) reading.dynamic = true;
  }
  for (const { component } of nested) {
    for (const name of component.names) reading.names.add(name);
    for (const encoding of component.encodings) reading.encodings.add(encoding);
  }
  const total = (own: number, of: (component: ComponentBinary) => number): number =>
    nested.reduce((sum, { component, instances }) => sum + instances * of(component), own);
  return {
    imports: definitions.flatMap((one) => (one.is === 'import' ? [{ name: one.name, kind: one.type.sort }] : [])),
    exports: definitions.flatMap((one) => (one.is === 'export' ? [{ name: one.name, kind: one.sort }] : [])),
    definitions,
    encodings: reading.encodings,
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
    concurrent: reading.concurrent || nested.some(({ component }) => component.concurrent),
    dynamic: reading.dynamic || nested.some(({ component }) => component.dynamic),
    names: reading.names,
  };
}
