import { HookvisorError, messageOf } from '../contract/errors.js';
import { bounds } from '../contract/limits.js';
import { admissionBounds } from './wasm/admission-bounds.js';
import { readComponent } from './wasm/component-binary.js';
import type { ComponentBinary } from './wasm/component-binary.js';
import type { CoreModule } from './wasm/core-module.js';
import { objectionError, refusal, unusable, vetRules } from '../contract/objection.js';
import type { Objection } from '../contract/objection.js';
import { checkEncodings } from './check-encodings.js';
import { checkWorld } from './check-world.js';
import { sizeObjection } from '../contract/size-objection.js';
import { atMost, checkModules, readModule } from './vet-core.js';
import type { VettedModule } from './vet-core.js';
import { witWorld } from './wit-world.js';
import { linkComponent } from './wasm/component-link.js';
import { checkNames } from './wasm/wasm-names.js';
import { wasmLayer } from '../shared/wasm-layer.js';

const importable = [...witWorld.imports.keys()].map((name) => name.replace(/^.*\/|@.*$/gu, ''));
const configurable = 'hookvisor:hook/configurable@0.1.0';

/** Functions of Extism's kernel except HTTP. */
const extismModule = 'extism:host/env';
const extismFunctions = new Set(
  (
    'alloc free length length_unsafe load_u8 load_u64 store_u8 store_u64 input_offset input_length input_load_u8 ' +
    'input_load_u64 output_set error_set config_get var_get var_set log_trace log_debug log_info log_warn log_error ' +
    'get_log_level'
  ).split(' '),
);

export interface VetOptions {
  /** Limit of the linear memories of one instance of the plug-in together, bytes. */
  readonly memoryBytes: number;
  /** Largest plug-in, bytes. The default is the bound that no configuration can exceed. */
  readonly pluginBytes?: number;
}

/** What vetting found in a plug-in without running it, and every reason to refuse it. */
export interface Findings {
  readonly backend: 'component' | 'extism';
  readonly objections: readonly Objection[];
  readonly modules: readonly VettedModule[];
  /** Imports of the plug-in itself: interfaces of a component, `module name` for Extism. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  /** Whether the plug-in validates its own settings. */
  readonly validates: boolean;
  /** Null for an Extism module. */
  readonly component: ComponentBinary | null;
}

/** Examines a plug-in for a backend. A plug-in that cannot be read gives one objection: a bad plug-in never throws. */
export function examine(bytes: Buffer, backend: Findings['backend'], options: VetOptions): Findings {
  const found = { objections: [] as Objection[], modules: [] as VettedModule[] };
  const nothing: Findings = { backend, ...found, imports: [], exports: [], validates: false, component: null };
  const { pluginBytes = bounds.pluginBytes } = options;
  if (bytes.length > pluginBytes) {
    return { ...nothing, objections: [sizeObjection(bytes.length, pluginBytes)] };
  }
  try {
    return backend === 'component' ? examineComponent(bytes, options) : examineExtism(bytes, options);
  } catch (error) {
    return { ...nothing, objections: [objectionOf(error)] };
  }
}

/** Returns `component` for a component, `extism` for a core module, and null if the bytes are not WebAssembly. */
export function detectBackend(bytes: Buffer): Findings['backend'] | null {
  try {
    return wasmLayer(bytes) === 'component' ? 'component' : 'extism';
  } catch {
    return null;
  }
}

/**
 * Checks a plug-in against the rules of its backend. Throws HookvisorError `plugin-refused` for the first rule that it
 * breaks, or `plugin-invalid` if the backend cannot load it.
 */
export function vetPlugin(bytes: Buffer, backend: Findings['backend'], options: VetOptions): Findings {
  const findings = examine(bytes, backend, options);
  const [first] = findings.objections;
  if (first !== undefined) throw objectionError(first);
  return findings;
}

/** Vets a component with {@link vetPlugin}: it may import only interfaces of the world and must export the handler. */
export function vetComponent(bytes: Buffer, options: VetOptions): ComponentBinary & { readonly validates: boolean } {
  const { component, validates } = vetPlugin(bytes, 'component', options);
  if (component === null) throw new HookvisorError('internal', 'Cannot admit the plug-in: no component was read');
  return { ...component, validates };
}

/**
 * Vets an Extism module with {@link vetPlugin}: it may import only Extism's kernel without HTTP, and must export a
 * memory and `handle` as `() -> i32`.
 */
export function vetExtism(bytes: Buffer, options: VetOptions): Findings {
  return vetPlugin(bytes, 'extism', options);
}

/** Checks the rules for any core module. Throws HookvisorError `plugin-refused` or `plugin-invalid`. */
export function vetCore(bytes: Buffer, { memoryBytes }: VetOptions): CoreModule {
  const module = readModule(bytes, 1);
  const [first] = checkModules([module], memoryBytes);
  if (first !== undefined) throw objectionError(first);
  return module;
}

function examineComponent(bytes: Buffer, { memoryBytes }: VetOptions): Findings {
  if (wasmLayer(bytes) === 'module') {
    return mismatch('component', 'it is a core module, not a component', "set 'backend: extism' or build a component");
  }
  const component = readComponent(bytes);
  const modules = component.coreModules.map(({ bytes: core, instances }) =>
    // The rules apply even to a module that is never instantiated.
    readModule(core, Math.max(1, instances)),
  );
  const objections = [
    ...checkNames(component.names),
    ...component.imports.flatMap(({ name, kind }) => {
      if (witWorld.imports.has(name) && kind === 'instance') return [];
      const rule = `only hookvisor:hook/{${importable.join(',')}}@0.1.0 can be imported`;
      return [refusal('import', `it imports '${name}'`, rule, { import: name })];
    }),
    ...(component.concurrent
      ? [
          refusal(
            'concurrency',
            'it uses asynchronous functions, threads or streams',
            'build it with synchronous functions only',
          ),
        ]
      : []),
    ...(component.dynamic
      ? [
          refusal(
            'structure',
            'it passes modules, components or values between its parts',
            'build it as one plain component',
          ),
        ]
      : []),
    ...atMost(
      'structure',
      component.coreInstances,
      admissionBounds.coreInstances,
      (count) => `it instantiates ${count} core modules`,
    ),
    ...atMost(
      'structure',
      component.instances,
      admissionBounds.componentInstances,
      (count) => `it instantiates ${count} components`,
    ),
    ...atMost('complexity', component.names.size, admissionBounds.names, (count) => `it has ${count} names`),
    ...checkModules(modules, memoryBytes),
  ];
  // A component that passes components around, or instantiates too many, is not followed.
  const followed = !component.concurrent && !objections.some(({ rule }) => rule === 'structure');
  const border = followed ? linkComponent(component) : null;
  return {
    backend: 'component',
    objections: [...objections, ...checkEncodings(component.encodings, border), ...(border ? checkWorld(border) : [])],
    modules,
    imports: component.imports.map(({ name }) => name),
    exports: component.exports.map(({ name }) => name),
    validates: component.exports.some(({ name }) => name === configurable),
    component,
  };
}

function examineExtism(bytes: Buffer, { memoryBytes }: VetOptions): Findings {
  if (wasmLayer(bytes) === 'component') {
    const remedy = "set 'backend: component' or build an Extism plug-in";
    return mismatch('extism', 'it is a component, not a core module', remedy);
  }
  const module = readModule(bytes, 1);
  const type = (name: string): string | undefined => {
    const found = module.exports.find((item) => item.name === name && item.kind === 'function');
    return found === undefined ? undefined : module.functions[found.index];
  };
  const expected = '() -> i32';
  const objections = [
    ...module.imports.flatMap(({ module: from, name, kind }) => {
      if (from === extismModule && kind === 'function' && extismFunctions.has(name)) return [];
      const rule = `only Extism's own functions of '${extismModule}' can be imported, without those for HTTP`;
      return [refusal('import', `it imports '${from}' '${name}'`, rule, { import: `${from} ${name}` })];
    }),
    ...checkModules([module], memoryBytes),
    ...['handle', 'validate'].flatMap((name) => {
      const actual = type(name);
      if (actual === expected || (actual === undefined && name === 'validate')) return [];
      const what = actual === undefined ? `it exports no function '${name}'` : `its export '${name}' is ${actual}`;
      return [unusable('world', what, `an Extism plug-in exports '${name}' as ${expected}`)];
    }),
    ...(module.exports.some(({ kind }) => kind === 'memory')
      ? []
      : [unusable('world', 'it exports no memory', 'build it again from its source')]),
  ];
  return {
    backend: 'extism',
    objections,
    modules: [module],
    imports: [...new Set(module.imports.map(({ module: from, name }) => `${from} ${name}`))],
    exports: module.exports.map(({ name }) => name),
    validates: type('validate') !== undefined,
    component: null,
  };
}

function mismatch(backend: Findings['backend'], what: string, remedy: string): Findings {
  const objections = [unusable('format', what, remedy)];
  return { backend, objections, modules: [], imports: [], exports: [], validates: false, component: null };
}

/** Converts an error of the readers into an objection. Rethrows any other error. */
export function objectionOf(error: unknown): Objection {
  if (!(error instanceof HookvisorError)) throw error;
  const { code } = error;
  if (code !== 'plugin-refused' && code !== 'plugin-invalid') throw error;
  const message = messageOf(error).replace(/^Cannot admit the plug-in: /u, '');
  const rule = vetRules.find((one) => one === error.fields['rule']) ?? 'format';
  return { rule, code, message, fields: { ...error.fields, rule } };
}
