import { meterNames } from '../../contract/meter.js';
import type { MeterPlaces } from './fuel.js';
import { meterHelper } from './meter-helpers.js';
import type { ModuleLayout } from '../wasm/module-layout.js';
import { WasmReader } from '../wasm/wasm-reader.js';
import { signed, text, unsigned } from '../wasm/wasm-writer.js';

/** Largest number of elements that a table may grow to, unless it starts with more. */
export const tableElements = 100_000;

const functionForm = Buffer.from([0x60]);
const i32 = 0x7f;
const i64 = 0x7e;

/** Items to add to a module, in the order of its index spaces. */
export interface Additions {
  readonly places: MeterPlaces;
  readonly imports: readonly Buffer[];
  /** These lists grow while functions are metered. */
  readonly types: Buffer[];
  readonly helpers: { readonly type: number; readonly body: Buffer }[];
}

/**
 * Assigns indices to the meter's items in a module. All memories of the plug-in together may grow by `growth` pages.
 */
export function addMeter(layout: ModuleLayout, growth: number): Additions {
  const { importedGlobals: fuel, importedFunctions, functions } = layout;
  const [growFailed, grown] = [fuel + 1, fuel + 2];
  const types: Buffer[] = [];
  const helpers: Additions['helpers'] = [];
  const known = new Map<string, number>();
  const once = (key: string, make: () => number): number => {
    const place = known.get(key) ?? make();
    known.set(key, place);
    return place;
  };
  const typePlace = (type: Buffer): number =>
    once(
      `type ${type.toString('hex')}`,
      () => layout.types.length + types.push(Buffer.concat([functionForm, type])) - 1,
    );
  const meterGlobal = (name: string, type: number): Buffer =>
    Buffer.concat([text(meterNames.module), text(name), Buffer.from([3, type, 1])]);
  const places: MeterPlaces = {
    fuel,
    moved: (global) => (global < fuel ? global : global + 3),
    helper: (instruction, kind) =>
      once(`helper ${instruction.toString('hex')}`, () => {
        const elementType = layout.tables[tableOf(instruction)] ?? 0;
        const mostGrowth = kind === 'memory-growth' ? growth : tableElements;
        const helper = meterHelper({ kind, instruction, elementType, fuel, growFailed, grown, mostGrowth });
        return (
          importedFunctions + functions.length + helpers.push({ type: typePlace(helper.type), body: helper.body }) - 1
        );
      }),
    blockType: (type) => {
      const results = layout.types[type]?.results ?? [];
      if (results.length < 2) return results.length === 0 ? [0x40] : results;
      return signed(typePlace(Buffer.from([0, ...unsigned(results.length), ...results])));
    },
  };
  return {
    places,
    types,
    helpers,
    imports: [
      meterGlobal(meterNames.fuel, i64),
      meterGlobal(meterNames.growFailed, i32),
      meterGlobal(meterNames.grown, i32),
    ],
  };
}

/** Returns the table index of `table.grow` and `table.fill`. For other instructions the result has no meaning. */
function tableOf(instruction: Buffer): number {
  const reader = new WasmReader(instruction);
  reader.u8();
  if (!reader.done) reader.uint();
  return reader.done ? 0 : reader.uint();
}
