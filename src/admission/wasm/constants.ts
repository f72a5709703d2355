import { refusal, objectionError } from '../../contract/objection.js';
import { op, readInstruction } from './wasm-code.js';
import type { WasmReader } from './wasm-reader.js';

/**
 * What a constant expression may contain: constants, references, imported globals, and integer sums and products. A
 * global of the module's own is not allowed, because not every version of Node accepts it.
 */
const constant: ReadonlySet<number> = new Set([
  ...[op.i32Const, op.i64Const, 0x43, 0x44, op.globalGet, 0xd0, op.refFunc],
  ...[op.i32Add, 0x6b, 0x6c, op.i64Add, op.i64Sub, 0x7e],
]);
const vectorConstant = 0x0c;

/**
 * Skips a constant expression. Throws HookvisorError `plugin-refused` for an instruction that is not allowed in one.
 */
export function readConstant(reader: WasmReader, importedGlobals: number): void {
  for (;;) {
    const { opcode, sub, index } = readInstruction(reader);
    if (opcode === op.end) return;
    const known = constant.has(opcode) || (opcode === 0xfd && sub === vectorConstant);
    if (known && (opcode !== op.globalGet || index < importedGlobals)) continue;
    const what = known
      ? `its global ${index} in a constant expression`
      : 'an instruction that is not allowed in a constant expression';
    throw objectionError(refusal('feature', `it uses ${what}`, 'only constants and imported globals are allowed'));
  }
}
