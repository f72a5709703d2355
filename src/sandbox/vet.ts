import { meterNames } from '../backends/meter.js';
import { HookvisorError } from '../errors.js';
import type { ErrorFields } from '../errors.js';
import { bounds } from '../limits.js';
import { readComponent } from './component-binary.js';
import type { ComponentBinary } from './component-binary.js';
import { readCoreModule } from './core-module.js';
import type { CoreModule } from './core-module.js';
import { invalid, wasmLayer } from './wasm-reader.js';

/** Most core modules that a component may instantiate: QuickJS has 20-odd, and each may have a memory of its own. */
const coreInstances = 64;

const pageBytes = 65_536;
const tableElements = 1_000_000;

const wit = (name: string): string => `hookvisor:hook/${name}@0.1.0`;
const importable = ['types', 'document', 'settings', 'log'];
const handler = wit('handler');
const configurable = wit('configurable');

/** Extism's kernel without its HTTP functions. */
const extismModule = 'extism:host/env';
const extismFunctions = new Set(
  (
    'alloc free length length_unsafe load_u8 load_u64 store_u8 store_u64 input_offset input_length input_load_u8 ' +
    'input_load_u64 output_set error_set config_get var_get var_set log_trace log_debug log_info log_warn log_error ' +
    'get_log_level'
  ).split(' '),
);

/** Facts about a component, found without running it. */
export interface ComponentReport extends ComponentBinary {
  readonly validates: boolean;
}

/** Facts about an Extism module, found without running it. */
export interface ModuleReport extends CoreModule {
  readonly validates: boolean;
}

export interface VetOptions {
  readonly memoryBytes: number;
}

/**
 * Checks a component against what a plugin may be: it imports nothing but the world's interfaces and exports the
 * handler. Throws HookvisorError `plugin-refused` naming the rule it breaks, or `plugin-invalid`.
 */
export function vetComponent(bytes: Buffer, options: VetOptions): ComponentReport {
  checkSize(bytes);
  if (wasmLayer(bytes) === 'module') {
    throw new HookvisorError(
      'plugin-invalid',
      "Cannot admit the plugin: it is a core module, not a component; set 'backend: extism' or build a component",
    );
  }
  const report = readComponent(bytes);
  const allowed = new Set(importable.map(wit));
  for (const { name } of report.imports) {
    if (allowed.has(name)) continue;
    throw refused(`it imports '${name}'`, `only hookvisor:hook/{${importable.join(',')}}@0.1.0 can be imported`, {
      import: name,
    });
  }
  const exported = new Set(report.exports.map(({ name, kind }) => (kind === 'instance' ? name : '')));
  if (!exported.has(handler)) {
    throw new HookvisorError(
      'plugin-invalid',
      `Cannot admit the plugin: it is a component of another world, without the export '${handler}'; ` +
        `build it for the world hook-handler`,
    );
  }
  if (report.concurrent) {
    throw refused('it uses asynchronous functions, threads or streams', 'build it with synchronous functions only');
  }
  if (report.coreInstances > coreInstances) {
    throw refused(`it instantiates ${report.coreInstances} core modules`, `at most ${coreInstances} are allowed`);
  }
  for (const module of report.coreModules) vetCore(module, options);
  return { ...report, validates: exported.has(configurable) };
}

/** Checks what holds for any core module. Throws HookvisorError `plugin-refused` or `plugin-invalid`. */
export function vetCore(bytes: Buffer, { memoryBytes }: VetOptions): CoreModule {
  if (wasmLayer(bytes) !== 'module') throw invalid('a core module in it is none');
  const module = readCoreModule(bytes);
  for (const { module: from } of module.imports) {
    if (from === meterNames.module) throw refused(`it imports from '${from}'`, 'that name is reserved');
  }
  for (const memory of module.memories) {
    if (memory.shared) throw refused('it declares a shared memory', 'build it without threads');
    if (memory.wide) throw refused('it declares a 64-bit memory', 'build it for 32-bit WebAssembly');
    if (memory.minimum * pageBytes > memoryBytes) {
      const needs = `it needs ${memory.minimum * pageBytes} bytes of memory at least`;
      throw refused(needs, `its limit is ${memoryBytes}; raise the handler's limits.memory`);
    }
  }
  if (module.memories.length > 1) throw refused('a core module in it has several memories', 'build it with one');
  for (const table of module.tables) {
    if (table.shared || table.wide) throw refused('it declares a shared or 64-bit table', 'build it without');
    if (table.minimum > tableElements) {
      throw refused(`it declares a table of ${table.minimum} elements`, `at most ${tableElements} are allowed`);
    }
  }
  return module;
}

/**
 * Checks an Extism plugin: it imports nothing but Extism's kernel without HTTP, and exports `handle` as `() -> i32` and
 * a memory. Throws HookvisorError `plugin-refused` naming the rule it breaks, or `plugin-invalid`.
 */
export function vetExtism(bytes: Buffer, options: VetOptions): ModuleReport {
  checkSize(bytes);
  if (wasmLayer(bytes) === 'component') {
    throw new HookvisorError(
      'plugin-invalid',
      "Cannot admit the plugin: it is a component, not a core module; set 'backend: component' or build an Extism plugin",
    );
  }
  const module = vetCore(bytes, options);
  for (const { module: from, name, kind } of module.imports) {
    if (from === extismModule && kind === 'function' && extismFunctions.has(name)) continue;
    const rule = `only Extism's own functions of '${extismModule}' can be imported, without those for HTTP`;
    throw refused(`it imports '${from}' '${name}'`, rule, { import: `${from} ${name}` });
  }
  const type = (name: string): string | undefined => {
    const found = module.exports.find((item) => item.name === name && item.kind === 'function');
    return found === undefined ? undefined : module.functions[found.index];
  };
  const expected = '() -> i32';
  for (const name of ['handle', 'validate']) {
    const actual = type(name);
    if (actual === expected || (actual === undefined && name === 'validate')) continue;
    throw new HookvisorError(
      'plugin-invalid',
      `Cannot admit the plugin: ${actual === undefined ? `it exports no function '${name}'` : `its export '${name}' is ${actual}`}; ` +
        `an Extism plugin exports '${name}' as ${expected}`,
    );
  }
  if (!module.exports.some(({ kind }) => kind === 'memory')) throw invalid('it exports no memory');
  return { ...module, validates: type('validate') !== undefined };
}

function checkSize(bytes: Buffer): void {
  if (bytes.length <= bounds.pluginBytes) return;
  throw refused(`it has ${bytes.length} bytes`, `at most ${bounds.pluginBytes} are allowed`);
}

function refused(what: string, rule: string, fields: ErrorFields = {}): HookvisorError {
  return new HookvisorError('plugin-refused', `Cannot admit the plugin: ${what}; ${rule}`, { fields });
}
