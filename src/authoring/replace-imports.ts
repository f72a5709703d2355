import type binaryen from 'binaryen';
import { HookvisorError } from '../errors.js';

type Binaryen = typeof binaryen;
type Module = InstanceType<Binaryen['Module']>;

/** Makes the body of a function that takes an import's place. Parameters are locals, counted from 0. */
export type Body = (tools: { module: Module; binaryen: Binaryen }) => number;

/** One import and what takes its place. */
export interface Replacement {
  /** Matches `MODULE NAME`. */
  readonly import: RegExp;
  readonly body: Body;
}

/**
 * A core module in which functions of its own take the place of imported ones. Imports that no replacement names stay.
 * Binaryen is loaded at the first call: only authors' commands come here.
 */
export async function replaceImports(bytes: Uint8Array, replacements: readonly Replacement[]): Promise<Buffer> {
  const { default: binaryen } = await import('binaryen');
  const module = binaryen.readBinaryWithFeatures(bytes, binaryen.Features.All);
  try {
    for (const { name, params, results, body } of replaced({ module, binaryen }, replacements)) {
      module.removeFunction(name);
      module.addFunction(name, params, results, [], body({ module, binaryen }));
    }
    if (!module.validate()) {
      throw new HookvisorError('internal', 'Cannot replace imports: the module would not be valid; report this');
    }
    return Buffer.from(module.emitBinary());
  } finally {
    module.dispose();
  }
}

interface Replaced {
  readonly name: string;
  readonly params: number;
  readonly results: number;
  readonly body: Body;
}

function replaced(tools: { module: Module; binaryen: Binaryen }, replacements: readonly Replacement[]): Replaced[] {
  const { module, binaryen } = tools;
  const found: Replaced[] = [];
  for (let at = 0; at < module.getNumFunctions(); at += 1) {
    const { name, module: from, base, params, results } = binaryen.getFunctionInfo(module.getFunctionByIndex(at));
    if (from === '') continue;
    const replacement = replacements.find((one) => one.import.test(`${from} ${base}`));
    if (replacement !== undefined) found.push({ name, params, results, body: replacement.body });
  }
  return found;
}
