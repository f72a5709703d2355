import { readFile } from 'node:fs/promises';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { importJco } from './author-modules.js';
import { componentFromCore } from './component.js';
import type { Project } from './project.js';

/** Assembles WAT into a component. Throws HookvisorError `plugin-invalid` with file, line and column. */
export async function buildWat({ folder, source }: Project): Promise<Buffer> {
  const { parse } = await importJco(folder);
  const text = await readFile(source, 'utf8');
  let core: Uint8Array;
  try {
    core = await parse(text);
  } catch (error) {
    throw new HookvisorError('plugin-invalid', `Cannot build '${folder}':\n${source}:${placed(error)}`, {
      cause: error,
    });
  }
  return componentFromCore(core, folder);
}

/** Extracts position and message from the error of the assembler, which is in the debug format of Rust. */
function placed(error: unknown): string {
  const text = messageOf(error);
  const place = /line: (\d+), col: (\d+)/u.exec(text);
  const complaint = /kind: (?:Custom\("((?:[^"\\]|\\.)*)"\)|Lex\((.*?)\) \})/u.exec(text);
  const line = Number(place?.[1] ?? 0) + 1;
  const column = Number(place?.[2] ?? 0) + 1;
  return `${line}:${column} ${complaint?.[1] ?? complaint?.[2] ?? text}`;
}
