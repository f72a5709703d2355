import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { oneLine } from '../../contract/text.js';
import { packageRoot } from '../../shared/paths.js';
import { admissionBounds } from '../wasm/admission-bounds.js';
import { objectionError, refusal } from '../../contract/objection.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import { answerSchema } from './translation.js';
import type { Translation } from './translation.js';

/** Wasmtime's component translation, built from native/component-translator/. */
const translatorFile = join(packageRoot, 'dist', 'component-translator.wasm');

const exportsSchema = z.object({
  memory: z.instanceof(WebAssembly.Memory),
  allocate: z.custom<(size: number) => number>((value) => typeof value === 'function'),
  translate: z.custom<(at: number, size: number, jsonBytes: number) => number>((value) => typeof value === 'function'),
});

/** The core modules of a component, and how they are assembled. */
export interface Translated extends Omit<Translation, 'modules'> {
  readonly modules: readonly Buffer[];
}

/**
 * Translates a component in a fresh instance of the translator, which imports nothing. Throws HookvisorError
 * `plugin-invalid` if it is not a valid component, or `plugin-refused` if the result is too large.
 */
export async function translateComponent(bytes: Buffer): Promise<Translated> {
  const { json, modules } = await runTranslator(bytes);
  const answer = answerSchema.parse(JSON.parse(json));
  switch (answer.is) {
    case 'invalid':
      throw invalid(`it is not a valid component (${oneLine(answer.message, 300)})`);
    case 'too-large': {
      const bound = admissionBounds.translationBytes;
      throw objectionError(
        refusal('complexity', 'its description is too large after translation', `at most ${bound} bytes are allowed`, {
          bound,
        }),
      );
    }
    case 'translated': {
      let at = 0;
      const parts = answer.modules.map((size) => modules.subarray(at, (at += size)));
      if (at !== modules.length) throw new Error('the translator returned modules of other sizes than it declared');
      return { ...answer, modules: parts };
    }
  }
}

async function runTranslator(bytes: Buffer): Promise<{ json: string; modules: Buffer }> {
  const instance = new WebAssembly.Instance(await WebAssembly.compile(await readFile(translatorFile)));
  const { memory, allocate, translate } = exportsSchema.parse(instance.exports);
  try {
    const at = allocate(bytes.length) >>> 0;
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    const place = translate(at, bytes.length, admissionBounds.translationBytes) >>> 0;
    const [json = 0, jsonSize = 0, modules = 0, modulesSize = 0] = new Uint32Array(memory.buffer, place, 4);
    return {
      json: Buffer.from(memory.buffer, json, jsonSize).toString('utf8'),
      modules: Buffer.from(memory.buffer, modules, modulesSize),
    };
  } catch (error) {
    // The translator aborts with a trap, and a stack overflow is a RangeError.
    if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) throw error;
    throw invalid('it uses a part of the component model that Hookvisor does not support', error);
  }
}
