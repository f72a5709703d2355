import { featureError } from './features.js';
import { bulkOperands, operands, plainOperands, vectorOperands } from './operands.js';
import { readBlockType, readHeapType, readValueType } from './value-types.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { WasmReader } from './wasm-reader.js';

/** The instructions that metering uses, by opcode. */
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
  /** Prefix of the bulk instructions on memories and tables. */
  bulk: 0xfc,
} as const;

/** The bulk instructions whose work grows with an operand, by the number after the prefix. */
export const bulk = {
  memoryInit: 8,
  memoryCopy: 10,
  memoryFill: 11,
  tableInit: 12,
  tableCopy: 14,
  tableGrow: 15,
  tableFill: 17,
} as const;

/** Scalar divisions, remainders and square roots. */
export const divisions: readonly number[] = [
  ...[0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82],
  ...[0x91, 0x95, 0x9f, 0xa3],
];

/** A decoded instruction. */
export interface Instruction {
  readonly opcode: number;
  /** The number after the prefix, otherwise 0. */
  readonly sub: number;
  /**
   * The operand of `global.get`, `global.set`, `call`, `br` and `br_if`; the type index of a block, or -1 if it has
   * none; otherwise 0.
   */
  readonly index: number;
  /** The labels of `br_table`. */
  readonly targets: readonly number[];
}

const none: readonly number[] = [];

/** Shared objects for instructions whose operands are not kept. A plug-in can have a million of them. */
const plain = plainOperands.map((what, opcode): (Instruction & { readonly what: number }) | undefined => {
  const isBlock = what === operands.block;
  return what === undefined ? undefined : { what, opcode, sub: 0, index: isBlock ? -1 : 0, targets: none };
});

/**
 * Reads one instruction, with each operand exactly as its type requires. The list of instructions is closed: it has
 * those that every supported Node runs alike. Throws HookvisorError `plugin-refused` for any other (threads, relaxed
 * SIMD, exceptions, garbage collection, several memories), and `plugin-invalid` for an operand that no version of V8
 * accepts.
 */
export function readInstruction(reader: WasmReader): Instruction {
  const opcode = reader.u8();
  const instruction = plain[opcode];
  if (instruction === undefined) throw featureError('unknown');
  const { what } = instruction;
  switch (what) {
    case operands.none:
      return instruction;
    case operands.keptIndex:
      return { opcode, sub: 0, index: reader.uint(), targets: none };
    case operands.block: {
      const index = readBlockType(reader);
      return index < 0 ? instruction : { opcode, sub: 0, index, targets: none };
    }
    case operands.labels:
      return { opcode, sub: 0, index: 0, targets: [...reader.many(() => reader.uint()), reader.uint()] };
    case operands.bulk:
      return { opcode, sub: readPrefixed(reader, bulkOperands), index: 0, targets: none };
    case operands.vector:
      return { opcode, sub: readPrefixed(reader, vectorOperands), index: 0, targets: none };
    default:
      skipOperands(reader, what);
      return instruction;
  }
}

/** Skips a prefixed instruction and returns the number after the prefix. */
function readPrefixed(reader: WasmReader, table: typeof bulkOperands): number {
  const sub = readSub(reader);
  const what = table[sub];
  if (what === undefined) throw featureError('unknown');
  if (what !== operands.none) skipOperands(reader, what);
  return sub;
}

/**
 * Reads the number after a prefix in its shortest form. Compilers emit no other, and versions of V8 have read longer
 * forms differently.
 */
export function readSub(reader: WasmReader): number {
  const low = reader.u8();
  if (low < 0x80) return low;
  const high = reader.u8();
  if (high === 0 || high >= 0x80) throw featureError('unknown');
  return (low & 0x7f) | (high << 7);
}

function skipOperands(reader: WasmReader, what: number): void {
  switch (what) {
    case operands.index:
      reader.uint();
      return;
    case operands.twoIndexes:
      reader.uint();
      reader.uint();
      return;
    case operands.i32:
      reader.skipSigned(32);
      return;
    case operands.i64:
      reader.skipSigned(64);
      return;
    case operands.memoryArgument:
      skipMemoryArgument(reader);
      return;
    case operands.memoryArgumentAndLane:
      skipMemoryArgument(reader);
      reader.u8();
      return;
    case operands.oneByte:
      reader.u8();
      return;
    case operands.fourBytes:
      reader.skip(4);
      return;
    case operands.eightBytes:
      reader.skip(8);
      return;
    case operands.sixteenBytes:
      reader.skip(16);
      return;
    case operands.memory:
      readMemory(reader);
      return;
    case operands.twoMemories:
      readMemory(reader);
      readMemory(reader);
      return;
    case operands.indexAndMemory:
      reader.uint();
      readMemory(reader);
      return;
    case operands.heapType:
      readHeapType(reader);
      return;
    case operands.oneType:
      if (reader.uint() !== 1) throw invalid('a select in it does not have exactly one type');
      readValueType(reader);
      return;
    default:
      throw new TypeError(`no reader exists for the operands ${what}`);
  }
}

/** Reads a memory index, which must be the byte 0: versions of V8 differ in how they read anything else. */
function readMemory(reader: WasmReader): void {
  if (reader.u8() !== 0) throw featureError('multi-memory');
}

/** Skips a memory argument. An alignment of 64 or more is a flag: a memory index follows. */
function skipMemoryArgument(reader: WasmReader): void {
  if (reader.uint() >= 0x40) throw featureError('multi-memory');
  reader.uint();
}
