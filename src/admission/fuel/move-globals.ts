import { readGlobalType } from '../wasm/declared-types.js';
import { spliceInto } from '../wasm/splice.js';
import type { Splice } from '../wasm/splice.js';
import { op, readInstruction } from '../wasm/wasm-code.js';
import { readReferenceType } from '../wasm/value-types.js';
import { WasmReader } from '../wasm/wasm-reader.js';
import { unsigned } from '../wasm/wasm-writer.js';

type Moved = (global: number) => number;

/** Rewrites the sections other than code that refer to globals whose indices have changed. */
export const moveGlobals = {
  global: (body: Buffer, moved: Moved) =>
    eachItem(body, (reader, splice) => {
      readGlobalType(reader);
      moveInExpression(reader, splice, moved);
    }),
  export: (body: Buffer, moved: Moved) =>
    eachItem(body, (reader, splice) => {
      reader.name();
      const isGlobal = reader.u8() === 3;
      const at = reader.at;
      const index = reader.uint();
      if (isGlobal) splice.replace(at, reader.at, Buffer.from(unsigned(moved(index))));
    }),
  element: (body: Buffer, moved: Moved) =>
    eachItem(body, (reader, splice) => {
      // Flags: 1 passive or declared; 2 explicit table index, or declared; 4 elements are expressions.
      const flags = reader.uint();
      const active = (flags & 1) === 0;
      if (active && (flags & 2) !== 0) reader.uint();
      if (active) moveInExpression(reader, splice, moved);
      if ((flags & 3) !== 0) {
        if ((flags & 4) === 0) reader.u8();
        else readReferenceType(reader);
      }
      reader.each(() => {
        if ((flags & 4) === 0) reader.uint();
        else moveInExpression(reader, splice, moved);
      });
    }),
  data: (body: Buffer, moved: Moved) =>
    eachItem(body, (reader, splice) => {
      const flags = reader.uint();
      if (flags === 2) reader.uint();
      if (flags !== 1) moveInExpression(reader, splice, moved);
      reader.take(reader.uint());
    }),
} as const;

function eachItem(body: Buffer, item: (reader: WasmReader, splice: Splice) => void): Buffer {
  const reader = new WasmReader(body);
  const splice = spliceInto(body);
  reader.each(() => {
    item(reader, splice);
  });
  return splice.result();
}

function moveInExpression(reader: WasmReader, splice: Splice, moved: Moved): void {
  for (;;) {
    const at = reader.at;
    const { opcode, index } = readInstruction(reader);
    if (opcode === op.end) return;
    if (opcode === op.globalGet) {
      splice.replace(at, reader.at, Buffer.from([opcode, ...unsigned(moved(index))]));
    }
  }
}
