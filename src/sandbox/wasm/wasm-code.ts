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

/**
 * Reads past one instruction of a module that is valid. Throws HookvisorError `plugin-invalid` for any that is not among
 * those that every supported Node runs alike: threads, relaxed SIMD, exceptions, garbage collection, several memories.
 */
export function readInstruction(reader: WasmReader): Instruction {
  const opcode = reader.u8();
  if (indexed.has(opcode)) return { ...plain, opcode, index: reader.uint() };
  if (opcode === op.bulk) return { ...plain, opcode, sub: skipBulk(reader) };
  if (opcode === 0xfd) return { ...plain, opcode, sub: skipVector(reader) };
  if (opcode === op.brTable) {
    return { ...plain, opcode, targets: [...reader.many(() => reader.uint()), reader.uint()] };
  }
  skipImmediates(reader, opcode);
  return { ...plain, opcode };
}

const plain = { sub: 0, index: 0, targets: [] } as const;
const indexed: ReadonlySet<number> = new Set([op.globalGet, op.globalSet, op.call, op.br, op.brIf]);

function skipImmediates(reader: WasmReader, opcode: number): void {
  if (opcode >= 0x45 && opcode <= 0xc4) return;
  if (opcode >= 0x28 && opcode <= 0x3e) {
    skipMemoryArgument(reader);
    return;
  }
  switch (opcode) {
    case op.unreachable:
    case 0x01: // nop
    case op.else:
    case op.end:
    case op.return:
    case 0x1a: // drop
    case op.select:
    case 0xd1: // ref.is_null
      return;
    case op.block:
    case op.loop:
    case op.if:
    case op.returnCall:
    case op.localGet:
    case op.localSet:
    case op.localTee:
    case op.tableGet:
    case op.tableSet:
    case 0x3f: // memory.size
    case op.memoryGrow:
    case op.i32Const:
    case op.i64Const:
    case 0xd0: // ref.null
    case op.refFunc:
      reader.uint();
      return;
    case op.callIndirect:
    case op.returnCallIndirect:
      reader.uint();
      reader.uint();
      return;
    case 0x1c: // select with types
      reader.many(() => reader.uint());
      return;
    case 0x43: // f32.const
      reader.take(4);
      return;
    case 0x44: // f64.const
      reader.take(8);
      return;
    default:
      throw unsupported();
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
  if (sub === 0x0c || sub === 0x0d) reader.take(16);
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
