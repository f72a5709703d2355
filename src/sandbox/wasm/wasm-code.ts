import { invalid } from './wasm-reader.js';
import type { WasmReader } from './wasm-reader.js';

/** The instructions that metering looks at, by opcode. */
export const op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eq: 0x46,
  i32LeU: 0x4d,
  i32Add: 0x6a,
  i32And: 0x71,
  i64LtS: 0x53,
  i64Sub: 0x7d,
  i64Add: 0x7c,
  i64Shl: 0x86,
  i64ShrU: 0x88,
  i64ExtendI32U: 0xad,
  refFunc: 0xd2,
  /** Prefix of the instructions on whole ranges of memories and tables. */
  bulk: 0xfc,
} as const;

/** The bulk instructions after their prefix, as far as their work grows with an operand. */
export const bulk = {
  memoryInit: 8,
  memoryCopy: 10,
  memoryFill: 11,
  tableInit: 12,
  tableCopy: 14,
  tableGrow: 15,
  tableFill: 17,
} as const;

/** Divisions, remainders and square roots of numbers. */
export const divisions: readonly number[] = [
  ...[0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82],
  ...[0x91, 0x95, 0x9f, 0xa3],
];

/** One instruction that has been read past. */
export interface Instruction {
  readonly opcode: number;
  /** What follows the prefix, else 0. */
  readonly sub: number;
  /** The operand of `global.get`, `global.set`, `call`, `br` and `br_if`, else 0. */
  readonly index: number;
  /** The labels of `br_table`. */
  readonly targets: readonly number[];
}

/** What follows an opcode in code. */
const follows = {
  nothing: 0,
  number: 1,
  index: 2,
  twoNumbers: 3,
  memoryArgument: 4,
  types: 5,
  fourBytes: 6,
  eightBytes: 7,
  labels: 8,
  bulk: 9,
  vector: 10,
} as const;

const allOf = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

const opcodes: readonly (readonly [what: number, opcodes: readonly number[]])[] = [
  [follows.nothing, [op.unreachable, op.else, op.end, op.return, op.select, ...allOf(0x45, 0xc4)]],
  [follows.nothing, [0x01, 0x1a, 0xd1]], // nop, drop, ref.is_null
  [follows.number, [op.block, op.loop, op.if, op.returnCall, op.localGet, op.localSet, op.localTee]],
  [follows.number, [op.tableGet, op.tableSet, op.memoryGrow, op.i32Const, op.i64Const, op.refFunc]],
  [follows.number, [0x3f, 0xd0]], // memory.size, ref.null
  [follows.index, [op.globalGet, op.globalSet, op.call, op.br, op.brIf]],
  [follows.twoNumbers, [op.callIndirect, op.returnCallIndirect]],
  [follows.memoryArgument, allOf(0x28, 0x3e)],
  [follows.types, [0x1c]], // select
  [follows.fourBytes, [0x43]], // f32.const
  [follows.eightBytes, [0x44]], // f64.const
  [follows.labels, [op.brTable]],
  [follows.bulk, [op.bulk]],
  [follows.vector, [0xfd]],
];

const none: readonly number[] = [];

/** By opcode, each instruction as it is without the operands that are looked at. A plugin has a million of them. */
const plain: (Instruction & { readonly what: number })[] = [];
for (const [what, all] of opcodes)
  for (const opcode of all) plain[opcode] = { what, opcode, sub: 0, index: 0, targets: none };

/**
 * Reads past one instruction of a module that is valid. Throws HookvisorError `plugin-invalid` for any that is not among
 * those that every supported Node runs alike: threads, relaxed SIMD, exceptions, garbage collection, several memories.
 */
export function readInstruction(reader: WasmReader): Instruction {
  const opcode = reader.u8();
  const instruction = plain[opcode];
  if (instruction === undefined) throw unsupported();
  switch (instruction.what) {
    case follows.nothing:
      return instruction;
    case follows.number:
      reader.uint();
      return instruction;
    case follows.index:
      return { opcode, sub: 0, index: reader.uint(), targets: none };
    case follows.twoNumbers:
      reader.uint();
      reader.uint();
      return instruction;
    case follows.memoryArgument:
      skipMemoryArgument(reader);
      return instruction;
    case follows.types:
      reader.each(() => reader.uint());
      return instruction;
    case follows.fourBytes:
      reader.skip(4);
      return instruction;
    case follows.eightBytes:
      reader.skip(8);
      return instruction;
    case follows.labels:
      return { opcode, sub: 0, index: 0, targets: [...reader.many(() => reader.uint()), reader.uint()] };
    case follows.bulk:
      return { opcode, sub: skipBulk(reader), index: 0, targets: none };
    default:
      return { opcode, sub: skipVector(reader), index: 0, targets: none };
  }
}

function skipBulk(reader: WasmReader): number {
  const sub = reader.uint();
  if (sub > 17) throw unsupported();
  // Conversions have no operand, two of the others have two.
  if (sub >= bulk.memoryInit) reader.uint();
  if (sub === bulk.memoryInit || sub === bulk.memoryCopy || sub === bulk.tableInit || sub === bulk.tableCopy) {
    reader.uint();
  }
  return sub;
}

function skipVector(reader: WasmReader): number {
  const sub = reader.uint();
  if (sub > 0xff) throw unsupported();
  if (sub <= 0x0b || (sub >= 0x54 && sub <= 0x5d)) skipMemoryArgument(reader);
  if (sub === 0x0c || sub === 0x0d) reader.skip(16);
  if ((sub >= 0x15 && sub <= 0x22) || (sub >= 0x54 && sub <= 0x5b)) reader.u8();
  return sub;
}

function skipMemoryArgument(reader: WasmReader): void {
  if (reader.uint() >= 0x40) throw unsupported();
  reader.uint();
}

function unsupported(): Error {
  return invalid('it uses features of WebAssembly that are not supported');
}
