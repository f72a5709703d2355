import { pageBytes } from '../../contract/limits.js';
import { readLimits } from '../wasm/declared-types.js';
import { payingFunctions, meterFunction } from './fuel.js';
import { addMeter, tableElements } from './meter-additions.js';
import type { Additions } from './meter-additions.js';
import { readLayout } from '../wasm/module-layout.js';
import type { ModuleLayout } from '../wasm/module-layout.js';
import { moveGlobals } from './move-globals.js';
import { moduleSection, moduleSections, sectionOrder } from '../wasm/module-sections.js';
import { readTableElement } from '../wasm/value-types.js';
import { WasmReader } from '../wasm/wasm-reader.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import { sized, unsigned, vector } from '../wasm/wasm-writer.js';

const section = moduleSection;

export interface HardenOptions {
  /** Limit of the plug-in's linear memories together, bytes. */
  readonly memoryBytes: number;
  /** Their initial size together, bytes. The default is that of this module alone. */
  readonly initialBytes?: number;
}

/**
 * Builds limits into a vetted core module. Function entries, loop iterations and long runs of code charge steps of fuel
 * to a global that is imported under the names in `meterNames`. Bulk operations on memories and tables charge steps in
 * proportion to their size. All of them trap when no fuel is left. One imported global counts memory growth for all
 * modules of a plug-in; another records growth that failed. Memories and tables get a maximum. The same bytes always
 * give the same result. docs/determinism.md lists the costs. Throws HookvisorError `plugin-invalid` if the module is
 * not valid with the supported features.
 */
export function hardenModule(bytes: Buffer, { memoryBytes, initialBytes }: HardenOptions): Buffer {
  // Custom sections have no effect, some refer to code offsets that change, and V8 versions differ in which they read.
  const sections = new Map(moduleSections(bytes));
  const header = bytes.subarray(0, 8);
  if (!WebAssembly.validate(assembled(header, sections))) throw invalid('a core module in it is not valid WebAssembly');
  const layout = readLayout(sections);
  const initialPages = initialBytes === undefined ? minimumPages(sections) : initialBytes / pageBytes;
  const growth = Math.max(0, Math.floor(memoryBytes / pageBytes) - initialPages);
  const additions = addMeter(layout, growth);
  const { moved } = additions.places;
  const rewrite = (id: number, change: (body: Buffer) => Buffer): void => {
    const body = sections.get(id);
    if (body !== undefined) sections.set(id, change(body));
  };
  rewrite(section.table, cappedTables);
  rewrite(section.memory, (body) => cappedMemories(body, growth));
  rewrite(section.global, (body) => moveGlobals.global(body, moved));
  rewrite(section.export, (body) => moveGlobals.export(body, moved));
  rewrite(section.element, (body) => moveGlobals.element(body, moved));
  rewrite(section.data, (body) => moveGlobals.data(body, moved));
  rewrite(section.code, (body) => meteredCode(body, layout, additions));
  // Metering the code adds types and helpers, so these sections come after it.
  const empty = Buffer.from([0]);
  sections.set(section.import, longer(sections.get(section.import) ?? empty, additions.imports));
  rewrite(section.type, (body) => longer(body, additions.types));
  rewrite(section.function, (body) =>
    longer(
      body,
      additions.helpers.map(({ type }) => Buffer.from(unsigned(type))),
    ),
  );
  const hardened = assembled(header, sections);
  // Metering can push a function over V8's limits.
  if (!WebAssembly.validate(hardened)) throw invalid('a function in it is too large to be hardened');
  return hardened;
}

function assembled(header: Buffer, sections: ReadonlyMap<number, Buffer>): Buffer {
  const parts = sectionOrder.flatMap((id) => {
    const body = sections.get(id);
    return body === undefined ? [] : [Buffer.from([id]), sized(body)];
  });
  return Buffer.concat([header, ...parts]);
}

function meteredCode(body: Buffer, layout: ModuleLayout, { places, helpers }: Additions): Buffer {
  const reader = new WasmReader(body);
  const bodies = reader.many(() => reader.take(reader.uint()));
  const imported = layout.importedFunctions;
  const paying = payingFunctions(bodies, { imported, entries: layout.entries });
  const own = bodies.map((one, at) => {
    const type = layout.functions[at] ?? 0;
    const parameters = layout.types[type]?.parameters.length ?? 0;
    const results = layout.types[type]?.results.length ?? 0;
    return meterFunction(one, { type, parameters, results, place: imported + at, paying }, places);
  });
  return vector([...own, ...helpers.map((helper) => helper.body)]);
}

/** Returns a vector with items appended. */
function longer(body: Buffer, items: readonly Buffer[]): Buffer {
  const reader = new WasmReader(body);
  const count = reader.uint();
  return Buffer.concat([Buffer.from(unsigned(count + items.length)), body.subarray(reader.at), ...items]);
}

function minimumPages(sections: ReadonlyMap<number, Buffer>): number {
  const body = sections.get(section.memory);
  if (body === undefined) return 0;
  const reader = new WasmReader(body);
  return reader.many(() => readLimits(reader).minimum).reduce((sum, pages) => sum + pages, 0);
}

function cappedMemories(body: Buffer, growth: number): Buffer {
  const reader = new WasmReader(body);
  return vector(reader.many(() => cappedLimits(reader, (minimum) => minimum + growth)));
}

function cappedTables(body: Buffer): Buffer {
  const reader = new WasmReader(body);
  const capped = (): Buffer =>
    Buffer.concat([Buffer.from([readTableElement(reader)]), cappedLimits(reader, () => tableElements)]);
  return vector(reader.many(capped));
}

function cappedLimits(reader: WasmReader, capOf: (minimum: number) => number): Buffer {
  const { minimum, maximum } = readLimits(reader);
  const cap = capOf(minimum);
  const most = Math.max(minimum, Math.min(maximum ?? cap, cap));
  return Buffer.from([1, ...unsigned(minimum), ...unsigned(most)]);
}
