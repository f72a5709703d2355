import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HookEvent } from '../../contract/event.js';
import { executableProblem } from './executable.js';
import { hasCode } from '../../contract/error-code.js';

/**
 * Lists the executables for one event in a tree of scripts GUEST/OPERATION/SUBOPERATION/*, in byte order, as absolute
 * paths. If SUBOPERATION is a file, it is the only one. Files that are not executable are skipped, as in libvirt. Names
 * are hostile: a name that is not a plain folder name has no scripts. Throws a Node error when a folder cannot be read.
 */
export async function scriptsFor(root: string, { name, event, qualifier }: HookEvent): Promise<string[]> {
  if (![name, event, qualifier].every(isPlain)) return [];
  const folder = join(root, name, event, qualifier);
  const found = await stat(folder).catch(absent);
  if (found === null) return [];
  const candidates = found.isDirectory() ? await entries(folder) : [folder];
  const problems = await Promise.all(candidates.map(executableProblem));
  return candidates.filter((_, at) => problems[at] === null);
}

async function entries(folder: string): Promise<string[]> {
  const names = await readdir(folder, { encoding: 'buffer' });
  return names.sort((a, b) => Buffer.compare(a, b)).map((name) => join(folder, name.toString('utf8')));
}

/** Tells whether a word of the event is a plain entry of a folder, and no path to another folder. */
function isPlain(word: string): boolean {
  return word !== '' && word !== '.' && word !== '..' && !/[/\0]/u.test(word);
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return null;
  throw error;
}
