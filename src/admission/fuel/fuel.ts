import { leaves, planSteps } from './plan-steps.js';
import { readLocals } from '../wasm/locals.js';
import { spliceInto } from '../wasm/splice.js';
import { bulk, op, readInstruction } from '../wasm/wasm-code.js';
import { WasmReader } from '../wasm/wasm-reader.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import { signed, sized, unsigned } from '../wasm/wasm-writer.js';

/** Places of what was added to a module, in its index spaces. */
export interface MeterPlaces {
  /** Global with the fuel that is left. */
  readonly fuel: number;
  /** Where a global is now. */
  readonly moved: (global: number) => number;
  /** A function added for an instruction whose work grows with an operand: it charges, then runs `instruction`. */
  readonly helper: (instruction: Buffer, kind: HelperKind) => number;
  /** A block's type with the results of a function and no parameters, as it stands in code. */
  readonly blockType: (type: number) => readonly number[];
}

export type HelperKind = 'bytes' | 'elements' | 'memory-growth' | 'table-growth' | 'table-fill';

/** Takes steps from the local, and ends the plugin when there are none left; `flush` runs before that. */
const spendFrom = (steps: number, local: number, after: readonly number[], flush: readonly number[]): number[] => [
  ...[op.i64Const, ...signed(steps), op.i64Sub, op.localTee, ...unsigned(local), ...after],
  ...[op.i64Const, 0, op.i64LtS, op.if, 0x40, ...flush, op.unreachable, op.end],
];

/** What handing over a parameter or a result takes, in plain instructions; clearing a local takes one. */
const valueWork = 4;

export interface MeteredFunction {
  readonly type: number;
  readonly parameters: number;
  readonly results: number;
  /** Its place among all functions. */
  readonly place: number;
  /** Functions that pay for their entry themselves. */
  readonly paying: ReadonlySet<number>;
}

/**
 * Builds fuel into a function's body (locals and code, without its size). A step is a call, a turn of a loop, or 256
 * instructions; the steps of a stretch of code without a branch are taken together where it begins. In a function
 * with loops the fuel lives in a local and goes to the global before whatever may look at it: calls, returns, traps.
 */
export function meterFunction(body: Buffer, metered: MeteredFunction, places: MeterPlaces): Buffer {
  const reader = new WasmReader(body);
  const { groups, from, count } = readLocals(reader);
  const fuelLocal = metered.parameters + count;
  const declared = body.subarray(from, reader.at);
  const plan = planSteps(body.subarray(reader.at), {
    pays: metered.paying.has(metered.place),
    paying: metered.paying,
    frame: fuelLocal - metered.parameters + valueWork * (metered.parameters + metered.results),
  });
  const cached = plan.loops;
  const fuel = unsigned(places.fuel);
  const local = unsigned(fuelLocal);
  const flush = [op.localGet, ...local, op.globalSet, ...fuel];
  const flushed = Buffer.from(flush);
  const reload = Buffer.from([op.globalGet, ...fuel, op.localSet, ...local]);
  const spend = (steps: number): Buffer =>
    Buffer.from(
      cached
        ? [op.localGet, ...local, ...spendFrom(steps, fuelLocal, [], flush)]
        : [op.globalGet, ...fuel, ...spendFrom(steps, fuelLocal, [op.globalSet, ...fuel, op.localGet, ...local], [])],
    );

  const start = reader.at;
  const splice = spliceInto(body, start);
  let depth = 1;
  while (depth > 0) {
    const at = reader.at;
    const steps = plan.steps.get(at - start);
    if (steps !== undefined) splice.replace(at, at, spend(steps));
    const { opcode, sub, index } = readInstruction(reader);
    if (opcode === op.block || opcode === op.if || opcode === op.loop) depth += 1;
    else if (opcode === op.end) depth -= 1;
    else if (opcode === op.globalGet || opcode === op.globalSet) {
      splice.replace(at, reader.at, Buffer.from([opcode, ...unsigned(places.moved(index))]));
    } else if (cached && (opcode === op.call || opcode === op.callIndirect)) {
      splice.replace(at, at, flushed);
      splice.replace(reader.at, reader.at, reload);
    } else if (cached && leaves.has(opcode)) {
      splice.replace(at, at, flushed);
    } else {
      const kind = helperKind(opcode, sub);
      if (kind === null) continue;
      const call = Buffer.from([op.call, ...unsigned(places.helper(body.subarray(at, reader.at), kind))]);
      splice.replace(at, reader.at, cached ? Buffer.concat([flushed, call, reload]) : call);
    }
  }
  if (!reader.done) throw invalid('a function in it goes on after its end');
  const locals = [Buffer.from(unsigned(groups + 1)), declared, Buffer.from([1, i64])];
  if (!cached) return sized(...locals, splice.result());
  const block = Buffer.from([op.block, ...places.blockType(metered.type)]);
  // The body's own `end` closes the block, and what follows runs however it was left.
  return sized(...locals, reload, block, splice.result(), flushed, Buffer.from([op.end]));
}

/**
 * The functions that pay for their entry themselves, by their bodies in order: those that a function with loops calls by
 * name, where a charge at each call would cost the most, and those that nobody but the host calls (`entries`). For all
 * others their callers pay, for several calls in a row at once. `imported` functions come before the bodies.
 */
export function payingFunctions(
  bodies: readonly Buffer[],
  { imported, entries }: { readonly imported: number; readonly entries: ReadonlySet<number> },
): ReadonlySet<number> {
  const called = new Set<number>();
  const paying = new Set<number>();
  for (const body of bodies) {
    const reader = new WasmReader(body);
    readLocals(reader);
    const callees = new Set<number>();
    let loops = false;
    while (!reader.done) {
      const { opcode, index } = readInstruction(reader);
      if (opcode === op.call) callees.add(index);
      else if (opcode === op.loop) loops = true;
    }
    for (const callee of callees) {
      called.add(callee);
      if (loops && callee >= imported) paying.add(callee);
    }
  }
  for (const entry of entries) if (!called.has(entry) && entry >= imported) paying.add(entry);
  return paying;
}

const i64 = 0x7e;

function helperKind(opcode: number, sub: number): HelperKind | null {
  if (opcode === op.memoryGrow) return 'memory-growth';
  if (opcode !== op.bulk) return null;
  switch (sub) {
    case bulk.memoryInit:
    case bulk.memoryCopy:
    case bulk.memoryFill:
      return 'bytes';
    case bulk.tableInit:
    case bulk.tableCopy:
      return 'elements';
    case bulk.tableGrow:
      return 'table-growth';
    case bulk.tableFill:
      return 'table-fill';
    default:
      return null;
  }
}
