import { refusal, objectionError } from '../../contract/objection.js';
import { op, readInstruction } from './wasm-code.js';
import type { WasmReader } from './wasm-reader.js';

/**
 * What may stand in a constant expression: constants, references, imported globals, and sums and products of integers.
 * A global of the module's own is not among it: some versions of Node take one, others do not.
 */
const constant: ReadonlySet<number> = new Set([
  ...[op.i32Const, op.i64Const, 0x43, 0x44, op.globalGet, 0xd0, op.refFunc],
  ...[op.i32Add, 0x6b, 0x6c, op.i64Add, op.i64Sub, 0x7e],
]);
const vectorConstant = 0x0c;

/** Reads past a constant expression. Throws HookvisorError `plugin-refused` for an instruction that cannot stand in one. */
export function readConstant(reader: WasmReader, importedGlobals: number): void {
  for (;;) {
    const { opcode, sub, index } = readInstruction(reader);
    if (opcode === op.end) return;
    const known = constant.has(opcode) || (opcode === 0xfd && sub === vectorConstant);
    if (known && (opcode !== op.globalGet || index < importedGlobals)) continue;
    const what = known ? `its global ${index} in a constant expression` : 'code where a constant must stand';
    throw objectionError(refusal('feature', `it uses ${what}`, 'only constants and imported globals are allowed'));
  }
}
