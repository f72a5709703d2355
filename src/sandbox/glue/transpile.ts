import { $init, generate } from '#component-bindgen';
import { messageOf } from '../../errors.js';
import { oneLine } from '../../text.js';
import { admissionBounds } from '../wasm/admission-bounds.js';
import { requireAtMost } from '../wasm/objection.js';
import { invalid } from '../wasm/wasm-reader.js';

/** A component as JavaScript that instantiates core modules. */
export interface Transpiled {
  /** ES module that exports `instantiate(getCoreModule, imports, instantiateCore)`. */
  readonly glue: string;
  readonly modules: readonly { readonly name: string; readonly bytes: Buffer }[];
}

/** Throws HookvisorError `plugin-invalid` for what is no valid component, `plugin-refused` for what becomes too large. */
export async function transpileComponent(bytes: Buffer): Promise<Transpiled> {
  await $init;
  const files = generateFiles(bytes);
  const glueFile = files.find(({ name }) => name === 'plugin.js')?.bytes ?? Buffer.alloc(0);
  requireAtMost(glueFile.length, admissionBounds.glueBytes, 'bytes of JavaScript when it is translated');
  const glue = withStrictText(glueFile.toString('utf8'));
  // With every import handed in, nothing is left for the glue to import by itself.
  if (!glue.includes('export function instantiate(') || /^[ \t]*import\b(?!\.meta)/mu.test(glue)) {
    throw invalid('what it was turned into is not as expected');
  }
  return {
    glue,
    modules: files.filter(({ name }) => name.endsWith('.wasm')),
  };
}

/**
 * The component model traps where text is not valid in its encoding, and takes all else as it is. What jco generates puts
 * replacement characters there and loses a byte order mark.
 */
function withStrictText(glue: string): string {
  const strict = '{ fatal: true, ignoreBOM: true }';
  const made = /new TextDecoder\((?:'(utf-16)')?\)/gu;
  if (glue.replaceAll(made, '').includes('new TextDecoder'))
    throw invalid('what it was turned into is not as expected');
  return glue.replaceAll(made, (_, encoding?: string) => `new TextDecoder('${encoding ?? 'utf-8'}', ${strict})`);
}

function generateFiles(bytes: Buffer): { name: string; bytes: Buffer }[] {
  try {
    const { files } = generate(bytes, {
      name: 'plugin',
      instantiation: { tag: 'sync' },
      base64Cutoff: 0,
      noTypescript: true,
      noNodejsCompat: true,
      noComponentErrorWrapping: true,
    });
    return files.map(([name, content]) => ({ name, bytes: Buffer.from(content) }));
  } catch (error) {
    // It gives up by a trap, and names what it refuses by any other error.
    if (error instanceof WebAssembly.RuntimeError) {
      throw invalid('it uses something of the component model that Hookvisor does not support', error);
    }
    throw invalid(`it is not a valid component (${oneLine(messageOf(error), 300)})`, error);
  }
}
