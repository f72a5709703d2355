import binaryen from 'binaryen';
import { meterNames } from '../backends/meter.js';
import { messageOf } from '../errors.js';
import { readLimits } from './core-module.js';
import { invalid, WasmReader, wasmSections } from './wasm-reader.js';

const pageBytes = 65_536;

/** Most elements that any table may grow to, where the plugin does not start with more. */
const tableElements = 100_000;

/**
 * What V8 of every supported Node can run, and no more: threads, relaxed SIMD and exceptions (which could catch a stack
 * overflow) would make an outcome depend on the machine, and garbage-collected objects no limit of ours would bound.
 */
// Flags are added up, which the enum's type does not provide for.
const features = (binaryen.Features.MutableGlobals |
  binaryen.Features.NontrappingFPToInt |
  binaryen.Features.SIMD128 |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.SignExt |
  binaryen.Features.TailCall |
  binaryen.Features.ReferenceTypes |
  binaryen.Features.CallIndirectOverlong |
  binaryen.Features.Multivalue |
  binaryen.Features.ExtendedConst) as binaryen.Features;

export interface HardenOptions {
  /** Largest size of each linear memory, bytes. */
  readonly memoryBytes: number;
}

/**
 * Builds limits into a vetted core module: each function entry, loop turn and return takes one step of fuel from a
 * global imported as {@link meterNames}, and traps when there is none; a memory that could not grow is noted in another;
 * memories and tables get a maximum. The same bytes always give the same result.
 * Throws HookvisorError `plugin-invalid` for what is no valid module with the supported features.
 */
export function hardenModule(bytes: Buffer, { memoryBytes }: HardenOptions): Buffer {
  if (!WebAssembly.validate(bytes)) throw invalid('a core module in it is not valid WebAssembly');
  const module = read(capped(bytes, memoryBytes));
  try {
    if (module.validate() !== 1) throw invalid('it uses features of WebAssembly that are not supported');
    countSteps(module);
    noteFailedGrowth(module);
    inline(module);
    return Buffer.from(module.emitBinary());
  } finally {
    module.dispose();
  }
}

function read(bytes: Buffer): binaryen.Module {
  try {
    return binaryen.readBinaryWithFeatures(bytes, features);
  } catch (error) {
    throw invalid(`a core module in it cannot be read (${messageOf(error)})`, error);
  }
}

/** Binaryen's pass calls an imported function at each step, and that function is replaced by one of ours. */
function countSteps(module: binaryen.Module): void {
  const { i64 } = binaryen;
  module.addGlobalImport('$fuel', meterNames.module, meterNames.fuel, i64, true);
  module.runPasses(['log-execution']);
  const fuel = (): number => module.global.get('$fuel', i64);
  const spend = module.block(null, [
    module.global.set('$fuel', module.i64.sub(fuel(), module.i64.const(1n))),
    module.if(module.i64.lt_s(fuel(), module.i64.const(0n)), module.unreachable()),
  ]);
  module.removeFunction('log_execution');
  module.addFunction('log_execution', binaryen.createType([binaryen.i32]), binaryen.none, [], spend);
}

function noteFailedGrowth(module: binaryen.Module): void {
  const { i32 } = binaryen;
  const before = importedFunctions(module);
  binaryen.setPassArgument('instrument-memory', 'memory.grow');
  module.runPasses(['instrument-memory']);
  // The pass imports a function for every kind of access, though only growth is asked for.
  for (const name of importedFunctions(module)) if (!before.has(name)) module.removeFunction(name);
  const pair = binaryen.createType([i32, i32]);
  const second = (): number => module.local.get(1, i32);
  module.addGlobalImport('$grow_failed', meterNames.module, meterNames.growFailed, i32, true);
  module.addFunction('memory_grow_pre', pair, i32, [], second());
  const note = module.global.set('$grow_failed', module.i32.eq(second(), module.i32.const(-1)));
  module.addFunction('memory_grow_post', pair, i32, [], module.block(null, [note, second()], i32));
}

function importedFunctions(module: binaryen.Module): Set<string> {
  const names = new Set<string>();
  for (let index = 0; index < module.getNumFunctions(); index += 1) {
    const { name, module: from } = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    if (from !== '') names.add(name);
  }
  return names;
}

/** Small functions only, so that counting costs no call and the module stays about as large as it was. */
function inline(module: binaryen.Module): void {
  binaryen.setOptimizeLevel(1);
  binaryen.setShrinkLevel(0);
  binaryen.setAlwaysInlineMaxSize(12);
  binaryen.setFlexibleInlineMaxSize(0);
  binaryen.setOneCallerInlineMaxSize(0);
  // `dae` drops the number that Binaryen gives each step: nothing reads it, and it counts on from module to module.
  module.runPasses(['dae', 'inlining']);
}

/**
 * The module with a maximum for every memory and table of its own, and without custom sections: names in them could
 * clash with those that the passes add.
 */
function capped(bytes: Buffer, memoryBytes: number): Buffer {
  const pages = Math.floor(memoryBytes / pageBytes);
  const parts = wasmSections(bytes).flatMap(({ id, body }) => {
    if (id === 0) return [];
    const content = id === 4 ? cappedTables(body) : id === 5 ? cappedMemories(body, pages) : body;
    return [Buffer.from([id]), unsigned(content.length), content];
  });
  return Buffer.concat([bytes.subarray(0, 8), ...parts]);
}

function cappedMemories(body: Buffer, pages: number): Buffer {
  const reader = new WasmReader(body);
  const memories = reader.many(() => cappedLimits(reader, pages));
  return Buffer.concat([unsigned(memories.length), ...memories]);
}

function cappedTables(body: Buffer): Buffer {
  const reader = new WasmReader(body);
  const tables = reader.many(() => {
    const type = Buffer.from([reader.u8()]);
    return Buffer.concat([type, cappedLimits(reader, tableElements)]);
  });
  return Buffer.concat([unsigned(tables.length), ...tables]);
}

function cappedLimits(reader: WasmReader, cap: number): Buffer {
  const { minimum, maximum } = readLimits(reader);
  const most = Math.max(minimum, Math.min(maximum ?? cap, cap));
  return Buffer.concat([Buffer.from([1]), unsigned(minimum), unsigned(most)]);
}

function unsigned(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? byte + 128 : byte);
  } while (rest > 0);
  return Buffer.from(bytes);
}
