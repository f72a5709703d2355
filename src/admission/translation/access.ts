import type { ExportRef, ImportValue } from '../../contract/component-plan.js';

type Access = Extract<ImportValue, { is: 'access' }>['access'];

/** The method of DataView that corresponds to each instruction. */
const methods: ReadonlyMap<string, Access> = new Map([
  ['i32.load', 'getInt32'],
  ['i32.load8_u', 'getUint8'],
  ['i32.load8_s', 'getInt8'],
  ['i32.load16_u', 'getUint16'],
  ['i32.load16_s', 'getInt16'],
  ['i64.load', 'getBigInt64'],
  ['f32.load', 'getFloat32'],
  ['f64.load', 'getFloat64'],
  ['i32.store', 'setInt32'],
  ['i32.store8', 'setInt8'],
  ['i32.store16', 'setInt16'],
  ['i64.store', 'setBigInt64'],
  ['f32.store', 'setFloat32'],
  ['f64.store', 'setFloat64'],
]);

/** Returns the import for an instruction on the memory of another core instance. */
export function accessOf(instruction: string, memory: ExportRef): ImportValue {
  if (instruction === 'memory.size') return { is: 'pages', memory };
  const access = methods.get(instruction);
  if (access === undefined) throw new Error(`the translator returned the unknown instruction '${instruction}'`);
  return { is: 'access', memory, access };
}
