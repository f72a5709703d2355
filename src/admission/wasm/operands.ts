/** The kinds of operands that can follow an opcode. */
export const operands = {
  /** Nothing. */
  none: 1,
  /** An index that is only skipped: of a local, a table, a segment, a function. */
  index: 2,
  /** An index that a caller uses. */
  keptIndex: 3,
  twoIndexes: 4,
  block: 5,
  memoryArgument: 6,
  memoryArgumentAndLane: 7,
  memory: 8,
  twoMemories: 9,
  indexAndMemory: 10,
  i32: 11,
  i64: 12,
  oneByte: 13,
  fourBytes: 14,
  eightBytes: 15,
  sixteenBytes: 16,
  labels: 17,
  heapType: 18,
  oneType: 19,
  bulk: 20,
  vector: 21,
} as const;

type Range = number | readonly [from: number, to: number];

/** The operands of each opcode that a plug-in may use: WebAssembly 2.0 and tail calls. */
export const plainOperands = tableOf(
  // unreachable, nop; else; end; return; drop, select; comparisons, arithmetic, conversions; ref.is_null
  [operands.none, [[0x00, 0x01], 0x05, 0x0b, 0x0f, [0x1a, 0x1b], [0x45, 0xc4], 0xd1]],
  // block, loop, if
  [operands.block, [[0x02, 0x04]]],
  // br, br_if; call; global.get, global.set
  [operands.keptIndex, [[0x0c, 0x0d], 0x10, [0x23, 0x24]]],
  [operands.labels, [0x0e]],
  // call_indirect, return_call_indirect
  [operands.twoIndexes, [0x11, 0x13]],
  // return_call; local.get, local.set, local.tee; table.get, table.set; ref.func
  [operands.index, [0x12, [0x20, 0x22], [0x25, 0x26], 0xd2]],
  // typed select
  [operands.oneType, [0x1c]],
  // loads and stores
  [operands.memoryArgument, [[0x28, 0x3e]]],
  // memory.size, memory.grow
  [operands.memory, [[0x3f, 0x40]]],
  [operands.i32, [0x41]],
  [operands.i64, [0x42]],
  [operands.fourBytes, [0x43]],
  [operands.eightBytes, [0x44]],
  // ref.null
  [operands.heapType, [0xd0]],
  [operands.bulk, [0xfc]],
  [operands.vector, [0xfd]],
);

/** The same, by the number after the prefix 0xfc. */
export const bulkOperands = tableOf(
  // saturating conversions
  [operands.none, [[0, 7]]],
  // memory.init
  [operands.indexAndMemory, [8]],
  // data.drop; elem.drop; table.grow, table.size, table.fill
  [operands.index, [9, 13, [15, 17]]],
  // memory.copy
  [operands.twoMemories, [10]],
  // memory.fill
  [operands.memory, [11]],
  // table.init, table.copy
  [operands.twoIndexes, [12, 14]],
);

/** The same, by the number after the prefix 0xfd. The numbers in the gaps were other instructions in drafts. */
export const vectorOperands = tableOf(
  // v128.load…, v128.store; v128.load32_zero, v128.load64_zero
  [
    operands.memoryArgument,
    [
      [0x00, 0x0b],
      [0x5c, 0x5d],
    ],
  ],
  // v128.const, i8x16.shuffle
  [operands.sixteenBytes, [[0x0c, 0x0d]]],
  // extract_lane, replace_lane
  [operands.oneByte, [[0x15, 0x22]]],
  // v128.load…_lane, v128.store…_lane
  [operands.memoryArgumentAndLane, [[0x54, 0x5b]]],
  [
    operands.none,
    [
      ...([[0x0e, 0x14], [0x23, 0x53], [0x5e, 0x99], [0x9b, 0xa1], [0xa3, 0xa4], [0xa7, 0xae], 0xb1] as const),
      ...([[0xb5, 0xba], [0xbc, 0xc1], [0xc3, 0xc4], [0xc7, 0xce], 0xd1, [0xd5, 0xe1], [0xe3, 0xed]] as const),
      ...([[0xef, 0xff]] as const),
    ],
  ],
);

function tableOf(
  ...rows: readonly (readonly [what: number, places: readonly Range[]])[]
): readonly (number | undefined)[] {
  const table: (number | undefined)[] = [];
  for (const [what, places] of rows) {
    for (const place of places) {
      const [from, to] = typeof place === 'number' ? [place, place] : place;
      for (let at = from; at <= to; at += 1) table[at] = what;
    }
  }
  return table;
}
