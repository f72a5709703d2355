import type { HelperKind } from './fuel.js';
import { op } from '../wasm/wasm-code.js';
import { signed, sized, unsigned } from '../wasm/wasm-writer.js';

/** A function to add to a module. */
export interface Helper {
  /** Its type in the binary format, without the first byte. */
  readonly type: Buffer;
  /** Its locals and code, preceded by their size. */
  readonly body: Buffer;
}

export interface HelperOptions {
  readonly instruction: Buffer;
  readonly kind: HelperKind;
  /** Value type of the table's elements; used only for tables. */
  readonly elementType: number;
  /** Indices of the meter's globals. */
  readonly fuel: number;
  readonly growFailed: number;
  readonly grown: number;
  /**
   * Largest growth that is attempted; larger requests fail and cost nothing. Counts elements of one table, or pages of
   * all memories of the plug-in together since it was instantiated.
   */
  readonly mostGrowth: number;
}

const i32 = 0x7f;
const i64 = 0x7e;

/** One step pays for 16 (2^4) bytes written, about as much as one iteration of a small loop. */
const bytesShift = 4;

/**
 * Writing zero bytes costs more than writing a few: the processor takes 100 ns to detect that nothing is to be done.
 */
const noBytesSteps = 12;

/** Fixed cost of a table instruction, because the engine calls a function for it. */
const tableSteps = 3;

/** A page of 64 KiB costs 64 (2^6) steps, because the kernel clears it on the first access. */
const pageShift = 6;

/** Fixed cost of growing a memory, even by zero pages: the engine takes up to a millisecond. */
const growthSteps = 20_000;

/**
 * Returns the function that replaces an instruction whose work grows with its last operand. It charges fuel in
 * proportion, then runs the instruction on the same operands. Growth beyond the limit is not attempted.
 */
export function meterHelper(options: HelperOptions): Helper {
  const { kind, instruction, fuel } = options;
  const parameters = parametersOf(kind, options.elementType);
  const size = parameters.length - 1;
  const left = [...unsigned(parameters.length)];
  const grows = kind === 'memory-growth' || kind === 'table-growth';
  const charge = [
    ...[op.globalGet, ...unsigned(fuel), ...costOf(options, size), op.i64Sub, op.localTee, ...left],
    ...[op.globalSet, ...unsigned(fuel), op.localGet, ...left, op.i64Const, 0, op.i64LtS, op.if, 0x40],
    ...[op.unreachable, op.end],
  ];
  const operands = parameters.flatMap((_, at) => [op.localGet, at]);
  const work = kind === 'memory-growth' ? growthOf(options) : [...operands, ...instruction];
  const code = [2, 1, i64, 1, i32, ...charge, ...work, op.end];
  const results = grows ? [1, i32] : [0];
  return {
    type: Buffer.from([parameters.length, ...parameters, ...results]),
    body: sized(Buffer.from(code)),
  };
}

function parametersOf(kind: HelperKind, elementType: number): readonly number[] {
  switch (kind) {
    case 'bytes':
    case 'elements':
      return [i32, i32, i32];
    case 'table-fill':
      return [i32, elementType, i32];
    case 'memory-growth':
      return [i32];
    case 'table-growth':
      return [elementType, i32];
  }
}

/** Returns code that grows the memory if the local after the charge's local allows it, and records the result. */
function growthOf({ instruction, growFailed, grown }: HelperOptions): readonly number[] {
  const [pages, result] = [0, 2];
  return [
    ...[op.localGet, result, op.if, i32, op.localGet, pages, ...instruction, op.else, op.i32Const, 0x7f, op.end],
    ...[op.localTee, result, op.i32Const, 0x7f, op.i32Eq, op.globalSet, ...unsigned(growFailed)],
    ...[op.globalGet, ...unsigned(grown), op.i32Const, 0, op.localGet, pages],
    ...[op.globalGet, ...unsigned(growFailed), op.select, op.i32Add, op.globalSet, ...unsigned(grown)],
    ...[op.localGet, result],
  ];
}

/** Returns code that pushes the cost as an i64. */
function costOf({ kind, grown, mostGrowth }: HelperOptions, size: number): readonly number[] {
  const amount = [op.localGet, size, op.i64ExtendI32U];
  if (kind === 'bytes') {
    const none = [op.i64Const, 0, op.i64Const, noBytesSteps, op.localGet, size, op.select];
    return [...amount, op.i64Const, bytesShift, op.i64ShrU, ...none, op.i64Add];
  }
  const elements = [...amount, op.i64Const, tableSteps, op.i64Add];
  if (kind === 'elements' || kind === 'table-fill') return elements;
  const most = [op.i32Const, ...signed(mostGrowth), op.i32LeU];
  const possible = [op.localGet, size, ...most];
  if (kind === 'table-growth') return [...elements, op.i64Const, 0, ...possible, op.select];
  const together = [op.localGet, size, op.globalGet, ...unsigned(grown), op.i32Add, ...most];
  return [
    ...[...amount, op.i64Const, pageShift, op.i64Shl, op.i64Const, ...signed(growthSteps), op.i64Add, op.i64Const, 0],
    ...[...possible, ...together, op.i32And, op.localTee, size + 2, op.select],
  ];
}
