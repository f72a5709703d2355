import { leaves, planSteps } from './plan-steps.js';
import { readLocals } from '../wasm/locals.js';
import { spliceInto } from '../wasm/splice.js';
import { bulk, op, readInstruction } from '../wasm/wasm-code.js';
import { WasmReader } from '../wasm/wasm-reader.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import { signed, sized, unsigned } from '../wasm/wasm-writer.js';

/** Indices of the items that metering adds to a module. */
export interface MeterPlaces {
  /** The global that holds the remaining fuel. */
  readonly fuel: number;
  /** Returns the new index of a global. */
  readonly moved: (global: number) => number;
  /**
   * Returns the function that replaces an instruction whose work grows with an operand. It charges fuel, then runs
   * `instruction`.
   */
  readonly helper: (instruction: Buffer, kind: HelperKind) => number;
  /** Returns the encoded type of a block with the results of a function and no parameters. */
  readonly blockType: (type: number) => readonly number[];
}

export type HelperKind = 'bytes' | 'elements' | 'memory-growth' | 'table-growth' | 'table-fill';

/** Returns code that subtracts steps from the fuel and traps if none are left. `flush` runs before the trap. */
const spendFrom = (steps: number, local: number, after: readonly number[], flush: readonly number[]): number[] => [
  ...[op.i64Const, ...signed(steps), op.i64Sub, op.localTee, ...unsigned(local), ...after],
  ...[op.i64Const, 0, op.i64LtS, op.if, 0x40, ...flush, op.unreachable, op.end],
];

/** Work of passing a parameter or a result, in plain instructions. Clearing a local counts as one. */
const valueWork = 4;

export interface MeteredFunction {
  readonly type: number;
  readonly parameters: number;
  readonly results: number;
  /** Its index among all functions. */
  readonly place: number;
  /** Functions that charge for their own entry. */
  readonly paying: ReadonlySet<number>;
}

/**
 * Builds fuel metering into a function's body (locals and code, without its size). A step is a call, an iteration of a
 * loop, or 256 instructions. Each straight run of code is charged once, where it begins. A function with loops caches
 * the fuel in a local and writes it back to the global before anything that may read it: calls, returns, traps.
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
  if (!reader.done) throw invalid('a function in it continues after its end');
  const locals = [Buffer.from(unsigned(groups + 1)), declared, Buffer.from([1, i64])];
  if (!cached) return sized(...locals, splice.result());
  const block = Buffer.from([op.block, ...places.blockType(metered.type)]);
  // The body's own `end` closes the block. The code after it runs on every way out of the block.
  return sized(...locals, reload, block, splice.result(), flushed, Buffer.from([op.end]));
}

/**
 * Returns the functions that charge for their own entry: those that a function with loops calls directly, because a
 * charge at each call would cost the most there, and those that only the host calls (`entries`). The callers of all
 * other functions pay for the entry, once for several calls in a row. `bodies` are in order; `imported` functions
 * precede them.
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
