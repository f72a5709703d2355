import type binaryen from 'binaryen';
import { importBinaryen } from './author-modules.js';
import { HookvisorError } from '../../contract/errors.js';

type Binaryen = typeof binaryen;
type Module = InstanceType<Binaryen['Module']>;

/** Creates the body of a function that replaces an import. Parameters are locals, counted from 0. */
export type Body = (tools: { module: Module; binaryen: Binaryen }) => number;

/** The replacement of an import. */
export interface Replacement {
  /** Matches `MODULE NAME`. */
  readonly import: RegExp;
  readonly body: Body;
}

/**
 * Replaces imported functions of a core module with functions of its own. Imports without a replacement are kept.
 * Binaryen is that of the project in `folder`, or the one installed alongside Hookvisor.
 */
export async function replaceImports(
  bytes: Uint8Array,
  replacements: readonly Replacement[],
  folder: string,
): Promise<Buffer> {
  const binaryen = await importBinaryen(folder);
  const module = binaryen.readBinaryWithFeatures(bytes, binaryen.Features.All);
  try {
    for (const { name, params, results, body } of replaced({ module, binaryen }, replacements)) {
      module.removeFunction(name);
      module.addFunction(name, params, results, [], body({ module, binaryen }));
    }
    if (!module.validate()) {
      throw new HookvisorError(
        'internal',
        'Cannot replace imports: the resulting module would be invalid; report this',
      );
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
