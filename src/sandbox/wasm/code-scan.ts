import { readInstruction } from './wasm-code.js';
import { WasmReader } from './wasm-reader.js';

/** Extensions of WebAssembly's first version, by the names of their proposals. */
export type WasmFeature =
  | 'sign-extension'
  | 'saturating-float-to-int'
  | 'bulk-memory'
  | 'reference-types'
  | 'simd'
  | 'tail-call'
  | 'multi-memory'
  | 'threads'
  | 'relaxed-simd'
  | 'garbage-collection'
  | 'function-references'
  | 'exception-handling'
  | 'wide-arithmetic'
  | 'unknown';

export interface CodeScan {
  readonly features: ReadonlySet<WasmFeature>;
  readonly functions: number;
  /** Locals besides the parameters: the most of one function, and of all together. */
  readonly mostLocals: number;
  readonly locals: number;
  /** Deepest nesting of blocks. */
  readonly depth: number;
}

/** Reads the instructions of a core module's code section. Throws HookvisorError `plugin-invalid` where it is cut off. */
export function scanCode(body: Buffer): CodeScan {
  const features = new Set<WasmFeature>();
  const scan = { functions: 0, mostLocals: 0, locals: 0, depth: 0 };
  const section = new WasmReader(body);
  section.each(() => {
    const code = section.take(section.uint());
    const reader = new WasmReader(code);
    let locals = 0;
    reader.each(() => {
      locals += reader.uint();
      reader.u8();
    });
    scan.functions += 1;
    scan.locals += locals;
    scan.mostLocals = Math.max(scan.mostLocals, locals);
    scan.depth = Math.max(scan.depth, scanFunction(reader, code, features));
  });
  return { features, ...scan };
}

/** Gives the deepest nesting. What follows an instruction that no plugin may use is left out. */
function scanFunction(reader: WasmReader, code: Buffer, features: Set<WasmFeature>): number {
  let [depth, deepest] = [0, 0];
  while (!reader.done) {
    const { at } = reader;
    const opcode = code[at] ?? 0;
    const sub = opcode >= 0xfc ? new WasmReader(code.subarray(at + 1)).uint() : 0;
    if (opcode >= 0x02 && opcode <= 0x04) deepest = Math.max(deepest, (depth += 1));
    else if (opcode === 0x0b) depth -= 1;
    const feature = featureOf(opcode, sub);
    if (feature !== null) features.add(feature);
    if (feature !== null && !readable.has(feature)) break;
    readInstruction(reader);
  }
  return deepest;
}

const readable = new Set<WasmFeature>([
  'sign-extension',
  'saturating-float-to-int',
  'bulk-memory',
  'reference-types',
  'simd',
  'tail-call',
]);

/** The extension that brought an instruction; null for those of the first version. */
function featureOf(opcode: number, sub: number): WasmFeature | null {
  if (opcode === 0xfc) return featureOfBulk(sub);
  if (opcode === 0xfd) return sub < 0x100 ? 'simd' : 'relaxed-simd';
  if (opcode === 0xfe) return 'threads';
  if (opcode === 0xfb || opcode === 0xd3) return 'garbage-collection';
  if (opcode >= 0xc0 && opcode <= 0xc4) return 'sign-extension';
  if (opcode === 0x12 || opcode === 0x13) return 'tail-call';
  if ([0x1c, 0x25, 0x26, 0xd0, 0xd1, 0xd2].includes(opcode)) return 'reference-types';
  if (opcode === 0x14 || opcode === 0x15 || (opcode >= 0xd4 && opcode <= 0xd6)) return 'function-references';
  if ((opcode >= 0x06 && opcode <= 0x0a) || [0x18, 0x19, 0x1f].includes(opcode)) return 'exception-handling';
  return opcode > 0xc4 || (opcode >= 0x16 && opcode <= 0x1e && opcode !== 0x1a && opcode !== 0x1b) || opcode === 0x27
    ? 'unknown'
    : null;
}

function featureOfBulk(sub: number): WasmFeature {
  if (sub <= 7) return 'saturating-float-to-int';
  if (sub <= 17) return sub >= 15 ? 'reference-types' : 'bulk-memory';
  return sub >= 19 && sub <= 22 ? 'wide-arithmetic' : 'unknown';
}
