import type { HelperKind } from './fuel.js';
import { op } from './wasm-code.js';
import { signed, sized, unsigned } from './wasm-writer.js';

/** A function that is added to a module. */
export interface Helper {
  /** Parameters and result, as a type of the binary format without its first byte. */
  readonly type: Buffer;
  /** Locals and code, with their size before them. */
  readonly body: Buffer;
}

export interface HelperOptions {
  readonly instruction: Buffer;
  readonly kind: HelperKind;
  /** What the instruction's table holds, as a value type; only looked at for tables. */
  readonly elementType: number;
  /** The globals of the meter. */
  readonly fuel: number;
  readonly growFailed: number;
  /** What more than this cannot grow by, and costs nothing: pages or elements. */
  readonly mostGrowth: number;
}

const i32 = 0x7f;
const i64 = 0x7e;

/** A step pays for 16 bytes (2^4) that are written, about what a turn of a small loop takes. */
const bytesShift = 4;

/** A page of 64 KiB costs 64 steps (2^6): it is cleared by the kernel, when it is first touched. */
const pageShift = 6;

/** What growing a memory costs besides, even by nothing: the engine takes up to a millisecond for it. */
const growthSteps = 20_000;

/**
 * The function that stands for an instruction whose work grows with its last operand: it takes fuel in proportion, then
 * runs the instruction on the same operands.
 */
export function meterHelper(options: HelperOptions): Helper {
  const { kind, instruction, fuel, growFailed } = options;
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
  // The first parameter is no longer needed and is an i32: it holds whether the memory could grow.
  const note =
    kind === 'memory-growth'
      ? [op.localTee, 0, op.i32Const, 0x7f, op.i32Eq, op.globalSet, ...unsigned(growFailed), op.localGet, 0]
      : [];
  const code = [1, 1, i64, ...charge, ...operands, ...instruction, ...note, op.end];
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

/** Code that leaves the cost as an i64. */
function costOf({ kind, mostGrowth }: HelperOptions, size: number): readonly number[] {
  const amount = [op.localGet, size, op.i64ExtendI32U];
  if (kind === 'bytes') return [...amount, op.i64Const, bytesShift, op.i64ShrU];
  if (kind === 'elements' || kind === 'table-fill') return amount;
  const possible = [op.localGet, size, op.i32Const, ...signed(mostGrowth), op.i32LeU];
  const cost =
    kind === 'memory-growth'
      ? [...amount, op.i64Const, pageShift, op.i64Shl, op.i64Const, ...signed(growthSteps), op.i64Add]
      : amount;
  return [...cost, op.i64Const, 0, ...possible, op.select];
}
