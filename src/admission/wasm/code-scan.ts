import { isForbidden } from './features.js';
import type { WasmFeature } from './features.js';
import { readLocals } from './locals.js';
import { bulkOperands, vectorOperands } from './operands.js';
import { instructionEnd, localsEnd } from './second-decoder.js';
import { op, readInstruction, readSub } from './wasm-code.js';
import { WasmReader } from './wasm-reader.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';

export interface CodeScan {
  readonly features: ReadonlySet<WasmFeature>;
  readonly functions: number;
  /** Locals without the parameters: the largest number in one function, and the total. */
  readonly mostLocals: number;
  readonly locals: number;
  /** Deepest nesting of blocks. */
  readonly depth: number;
}

/** How many types and how many functions of its own the module declares. */
interface Declared {
  readonly functions: number;
  readonly types: number;
}

/**
 * Reads a core module's code section with two decoders that share no code. Throws HookvisorError `plugin-invalid` if
 * the code cannot be read or the decoders disagree, and `plugin-refused` for types that no plug-in may use.
 */
export function scanCode(body: Buffer | undefined, declared: Declared): CodeScan {
  const features = new Set<WasmFeature>();
  const scan = { functions: 0, mostLocals: 0, locals: 0, depth: 0 };
  const section = new WasmReader(body ?? noFunctions);
  section.each(() => {
    const code = section.take(section.uint());
    const reader = new WasmReader(code);
    const { count: locals } = readLocals(reader);
    if (localsEnd(code) !== reader.at) throw disagreement();
    scan.functions += 1;
    scan.locals += locals;
    scan.mostLocals = Math.max(scan.mostLocals, locals);
    scan.depth = Math.max(scan.depth, scanFunction(reader, code, { features, types: declared.types }));
  });
  section.end();
  if (scan.functions !== declared.functions) throw invalid('a core module in it has functions without code');
  return { features, ...scan };
}

const noFunctions = Buffer.from([0]);

/** Returns the deepest nesting. Stops at the first forbidden instruction, because its encoding is unknown. */
function scanFunction(
  reader: WasmReader,
  code: Buffer,
  { features, types }: { features: Set<WasmFeature>; types: number },
): number {
  let [depth, deepest] = [1, 0];
  while (depth > 0) {
    const { at } = reader;
    const opcode = code[at] ?? 0;
    const sub = opcode >= 0xfb && at + 1 < code.length ? readSub(new WasmReader(code.subarray(at + 1))) : 0;
    const feature = featureOf(opcode, sub);
    if (feature !== null) {
      features.add(feature);
      if (isForbidden(feature)) return deepest;
    }
    const { index } = readInstruction(reader);
    if (instructionEnd(code, at) !== reader.at) throw disagreement();
    if (opcode >= op.block && opcode <= op.if) {
      if (index >= types) throw invalid('a block in it has a type that does not exist');
      deepest = Math.max(deepest, depth);
      depth += 1;
    } else if (opcode === op.end) depth -= 1;
  }
  if (!reader.done) throw invalid('a function in it continues after its end');
  return deepest;
}

function disagreement(): Error {
  return invalid('an instruction in it can be read in two ways');
}

/** Returns the extension that added an instruction, or null for those of WebAssembly 1.0. */
function featureOf(opcode: number, sub: number): WasmFeature | null {
  if (opcode <= 0xc4 && opcode >= 0x28) return opcode >= 0xc0 ? 'sign-extension' : null;
  if (opcode === 0xfc) return featureOfBulk(sub);
  if (opcode === 0xfd) return featureOfVector(sub);
  if (opcode === 0xfe) return 'threads';
  if (opcode === 0xfb || opcode === 0xd3) return 'garbage-collection';
  if (opcode === 0x12 || opcode === 0x13) return 'tail-call';
  if ([0x1c, 0x25, 0x26, 0xd0, 0xd1, 0xd2].includes(opcode)) return 'reference-types';
  if (opcode === 0x14 || opcode === 0x15 || (opcode >= 0xd4 && opcode <= 0xd6)) return 'function-references';
  if ((opcode >= 0x06 && opcode <= 0x0a) || [0x18, 0x19, 0x1f].includes(opcode)) return 'exception-handling';
  if (opcode >= 0xe0 && opcode <= 0xe6) return 'stack-switching';
  return opcode > 0xc4 || opcode === 0x27 || opcode === 0x16 || opcode === 0x17 || opcode === 0x1d || opcode === 0x1e
    ? 'unknown'
    : null;
}

function featureOfBulk(sub: number): WasmFeature {
  if (sub >= 19 && sub <= 22) return 'wide-arithmetic';
  if (bulkOperands[sub] === undefined) return 'unknown';
  if (sub <= 7) return 'saturating-float-to-int';
  return sub >= 15 ? 'reference-types' : 'bulk-memory';
}

function featureOfVector(sub: number): WasmFeature {
  if (sub >= 0x100 && sub <= 0x113) return 'relaxed-simd';
  return vectorOperands[sub] === undefined ? 'unknown' : 'simd';
}
