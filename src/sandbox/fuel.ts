import { spliceInto } from './splice.js';
import { bulk, op, readInstruction } from './wasm-code.js';
import { invalid, WasmReader } from './wasm-reader.js';
import { signed, sized, unsigned } from './wasm-writer.js';

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

/** Steps that run without a charge at most, so that a step's work is bounded. */
const longestRun = 256;

/** Takes steps from the local, and ends the plugin when there are none left; `flush` runs before that. */
const spendFrom = (steps: number, local: number, after: readonly number[], flush: readonly number[]): number[] => [
  ...[op.i64Const, ...signed(steps), op.i64Sub, op.localTee, ...unsigned(local), ...after],
  ...[op.i64Const, 0, op.i64LtS, op.if, 0x40, ...flush, op.unreachable, op.end],
];

export interface FunctionPlaces {
  readonly type: number;
  readonly parameters: number;
}

/**
 * Builds fuel into a function's body (locals and code, without its size): one step at its entry, at each turn of a loop
 * and for every 256 instructions in a row. In a function with loops the fuel lives in a local and goes to the global
 * before whatever may look at it: calls, returns, `unreachable`.
 */
export function meterFunction(body: Buffer, { type, parameters }: FunctionPlaces, places: MeterPlaces): Buffer {
  const reader = new WasmReader(body);
  const groups = reader.uint();
  const groupsAt = reader.at;
  let fuelLocal = parameters;
  for (let left = groups; left > 0; left -= 1) {
    fuelLocal += reader.uint();
    reader.u8();
  }
  const declared = body.subarray(groupsAt, reader.at);
  const cached = hasLoop(body.subarray(reader.at));
  const local = unsigned(fuelLocal);
  const load = [op.globalGet, ...unsigned(places.fuel)];
  const flush = [op.localGet, ...local, op.globalSet, ...unsigned(places.fuel)];
  const reload = Buffer.from([...load, op.localSet, ...local]);
  const flushed = Buffer.from(flush);
  const direct = [
    ...load,
    ...spendFrom(1, fuelLocal, [op.globalSet, ...unsigned(places.fuel), op.localGet, ...local], []),
  ];
  const step = cached
    ? Buffer.from([op.localGet, ...local, ...spendFrom(1, fuelLocal, [], flush)])
    : Buffer.from(direct);
  const entry = cached ? Buffer.from([...load, ...spendFrom(1, fuelLocal, [], flush)]) : step;

  const parts: Buffer[] = [Buffer.from(unsigned(groups + 1)), declared, Buffer.from([1, 0x7e]), entry];
  if (cached) parts.push(Buffer.from([op.block, ...places.blockType(type)]));
  const splice = spliceInto(body, reader.at);
  const insert = (before: number, bytes: Buffer, from = before): void => {
    splice.replace(before, from, bytes);
  };
  let depth = 1;
  let run = 0;
  while (depth > 0) {
    const at = reader.at;
    const { opcode, sub, index } = readInstruction(reader);
    run += 1;
    if (run >= longestRun && opcode !== op.loop && opcode !== 0x05) {
      insert(at, step);
      run = 0;
    }
    if (opcode === op.block || opcode === op.if) depth += 1;
    else if (opcode === op.end) depth -= 1;
    else if (opcode === op.loop) {
      depth += 1;
      run = 0;
      insert(reader.at, step);
    } else if (opcode === op.globalGet || opcode === op.globalSet) {
      insert(at, Buffer.from([opcode, ...unsigned(places.moved(index))]), reader.at);
    } else if (opcode === op.call || opcode === op.callIndirect) {
      if (cached) {
        insert(at, flushed);
        insert(reader.at, reload);
      }
    } else if (
      opcode === op.return ||
      opcode === op.returnCall ||
      opcode === op.returnCallIndirect ||
      opcode === op.unreachable
    ) {
      if (cached) insert(at, flushed);
    } else {
      const kind = helperKind(opcode, sub);
      if (kind === null) continue;
      const call = Buffer.from([op.call, ...unsigned(places.helper(body.subarray(at, reader.at), kind))]);
      insert(at, cached ? Buffer.concat([flushed, call, reload]) : call, reader.at);
    }
  }
  if (!reader.done) throw invalid('a function in it goes on after its end');
  parts.push(splice.result());
  // The last `end` closes the block, and what follows runs however it was left.
  if (cached) parts.push(flushed, Buffer.from([op.end]));
  return sized(...parts);
}

function hasLoop(code: Buffer): boolean {
  // Only instructions count, not operands with the same value: a look at the bytes alone rules most functions out.
  if (!code.includes(op.loop)) return false;
  const reader = new WasmReader(code);
  while (!reader.done) if (readInstruction(reader).opcode === op.loop) return true;
  return false;
}

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
