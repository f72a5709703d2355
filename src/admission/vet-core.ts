import { meterNames } from '../contract/meter.js';
import { pageBytes } from '../contract/limits.js';
import { admissionBounds } from './wasm/admission-bounds.js';
import { readCoreModule } from './wasm/core-module.js';
import type { CoreModule } from './wasm/core-module.js';
import type { WasmLimits } from './wasm/declared-types.js';
import { featureObjections } from './wasm/features.js';
import { refusal } from '../contract/objection.js';
import type { Objection } from '../contract/objection.js';
import { checkNames } from './wasm/wasm-names.js';
import { invalidPlugin as invalid, wasmLayer } from '../shared/wasm-layer.js';

/** A core module, and how often the plug-in instantiates it. */
export interface VettedModule extends CoreModule {
  readonly bytes: number;
  readonly instances: number;
}

/** Reads a core module. Throws HookvisorError `plugin-invalid`. */
export function readModule(bytes: Buffer, instances: number): VettedModule {
  if (wasmLayer(bytes) !== 'module') throw invalid('an embedded module is not a core module');
  return { ...readCoreModule(bytes), bytes: bytes.length, instances };
}

/** Checks all core modules of a plug-in together, because their memories and sizes add up. */
export function checkModules(modules: readonly VettedModule[], memoryBytes: number): Objection[] {
  const found = modules.flatMap((module) => [
    ...checkNames(namesOf(module)),
    ...featureObjections(module.code.features),
    ...[...module.memories, ...module.importedMemories].flatMap(checkMemory),
    ...[...module.tables, ...module.importedTables].flatMap(checkTable),
    ...(module.memories.length + module.importedMemories.length > 1
      ? [refusal('memory', 'a core module in it has several memories', 'build it with one memory')]
      : []),
    ...module.imports.flatMap(({ module: from }) =>
      from === meterNames.module ? [refusal('import', `it imports from '${from}'`, 'that name is reserved')] : [],
    ),
  ]);
  return [...distinct(found), ...checkMemorySize(modules, memoryBytes), ...checkComplexity(modules)];
}

/** Returns the initial memory of all instances of the plug-in together, bytes. */
export function initialMemory(modules: readonly VettedModule[]): number {
  return sum(modules, ({ memories, instances }) => sum(memories, ({ minimum }) => minimum) * instances) * pageBytes;
}

function namesOf({ imports, exports }: CoreModule): Set<string> {
  return new Set([...imports.flatMap(({ module, name }) => [module, name]), ...exports.map(({ name }) => name)]);
}

function checkMemory({ shared, wide }: WasmLimits): Objection[] {
  return [
    ...(shared ? [refusal('memory', 'it declares a shared memory', 'build it without threads')] : []),
    ...(wide ? [refusal('memory', 'it declares a 64-bit memory', 'build it for 32-bit WebAssembly')] : []),
  ];
}

function checkTable({ shared, wide }: WasmLimits): Objection[] {
  return shared || wide
    ? [refusal('table', 'it declares a shared or 64-bit table', 'build it with unshared 32-bit tables')]
    : [];
}

function checkMemorySize(modules: readonly VettedModule[], memoryBytes: number): Objection[] {
  const needed = initialMemory(modules);
  if (needed <= memoryBytes) return [];
  const needs = `it needs at least ${needed} bytes of memory`;
  return [refusal('memory', needs, `its limit is ${memoryBytes}; raise the key 'memory' of the handler`, { needed })];
}

function checkComplexity(modules: readonly VettedModule[]): Objection[] {
  const all = (of: (module: VettedModule) => number): number => sum(modules, of);
  const most = (of: (module: VettedModule) => number): number =>
    modules.reduce((max, one) => Math.max(max, of(one)), 0);
  const bounds = admissionBounds;
  const elements = all(({ tables, instances }) => sum(tables, ({ minimum }) => minimum) * instances);
  return [
    ...atMost('table', elements, bounds.tableElements, (count) => `its tables have ${count} elements`),
    ...atMost(
      'memory',
      all(({ memories, instances }) => memories.length * instances),
      bounds.memories,
      (count) => `it has ${count} memories`,
    ),
    ...atMost(
      'table',
      all(({ tables, instances }) => tables.length * instances),
      bounds.tables,
      (count) => `it has ${count} tables`,
    ),
    ...(
      [
        ['functions', all(({ functions }) => functions.length), bounds.functions],
        ['types', all(({ types }) => types), bounds.types],
        ['parameters and results', all(({ typeValues }) => typeValues), bounds.typeValues],
        ['imports', all(({ imports }) => imports.length), bounds.imports],
        ['exports', all(({ exports }) => exports.length), bounds.exports],
        ['globals', all(({ globals }) => globals), bounds.globals],
        ['segments', all(({ elementSegments, dataSegments }) => elementSegments + dataSegments), bounds.segments],
        ['locals in one function', most(({ code }) => code.mostLocals), bounds.functionLocals],
        ['locals', all(({ code }) => code.locals), bounds.locals],
        ['levels of nested blocks', most(({ code }) => code.depth), bounds.blockDepth],
      ] as const
    ).flatMap(([what, count, bound]) => atMost('complexity', count, bound, () => `it has ${count} ${what}`)),
  ];
}

/** Returns an objection if `count` exceeds `bound`. */
export function atMost(
  rule: 'memory' | 'table' | 'complexity' | 'structure',
  count: number,
  bound: number,
  what: (count: number) => string,
): Objection[] {
  return count > bound ? [refusal(rule, what(count), `at most ${bound} are allowed`, { count, bound })] : [];
}

function distinct(objections: readonly Objection[]): Objection[] {
  return [...new Map(objections.map((one) => [one.message, one])).values()];
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
