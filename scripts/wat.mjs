// @ts-check
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco';
import { witPackage } from './wit.mjs';

/**
 * Assembles WAT: a core module, or a component if the text is `(component …)`.
 * @param {string} wat
 * @returns {Promise<Uint8Array>}
 */
export async function watToModule(wat) {
  try {
    return await parse(wat);
  } catch (error) {
    throw watError(error);
  }
}

/**
 * Makes a component for this project's WIT from a core module in WAT, which uses the canonical ABI's names: exports
 * `hookvisor:hook/handler@0.1.0#handle`, `cabi_realloc` and `memory`, imports such as `hookvisor:hook/log@0.1.0`
 * `write`. The component leaves out imports of the world that the module does not use.
 * @param {string} wat
 * @param {'hook-handler' | 'configurable-hook-handler'} world
 * @returns {Promise<Uint8Array>}
 */
export async function watToComponent(wat, world) {
  const binary = await watToModule(wat);
  const embedded = await componentEmbed({ binary, witSource: await witPackage(), world });
  return componentNew(embedded, []);
}

/**
 * Extracts the place and the complaint from the assembler's message, which is the debug form of a Rust error. Lines and
 * columns count from 1 in `line` and `column`.
 * @param {unknown} thrown
 * @returns {Error}
 */
function watError(thrown) {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const place = /line: (\d+), col: (\d+)/u.exec(text);
  const complaint = /kind: (?:Custom\("((?:[^"\\]|\\.)*)"\)|Lex\((.*?)\) \})/u.exec(text);
  const line = Number(place?.[1] ?? 0) + 1;
  const column = Number(place?.[2] ?? 0) + 1;
  const what = complaint?.[1] ?? complaint?.[2] ?? text;
  return Object.assign(new Error(`Cannot assemble WAT: line ${line}, column ${column}: ${what}`, { cause: thrown }), {
    line,
    column,
  });
}
