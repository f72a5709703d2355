import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { codeOf } from '../../contract/error-code.js';

/**
 * Returns why the file cannot be run as a script now, with the remedy; null if no reason is found.
 */
export async function executableProblem(path: string): Promise<string | null> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return 'it is not a regular file; name an executable file';
  } catch (error) {
    return statProblem(error);
  }
  try {
    await access(path, constants.X_OK);
  } catch {
    return 'it is not executable by this process; run chmod +x on it, or correct its owner and the mount options';
  }
  return formatProblem(path);
}

function statProblem(error: unknown): string {
  switch (codeOf(error) ?? '') {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file; create it or correct the path';
    case 'EACCES':
      return 'a folder on its path is not accessible; correct the permissions';
    default:
      return `it is not accessible (${codeOf(error) ?? String(error)}); correct the path`;
  }
}

/**
 * Shells and execvp(3) run a file of unknown format with /bin/sh: an empty or truncated hook would then exit with
 * status 0 and allow everything. libvirt uses execve(2), which fails for such a file; so does the runtime.
 */
async function formatProblem(path: string): Promise<string | null> {
  const head = await headOf(path, 4);
  // A file can be executable but not readable; executing it shows whether it works.
  if (head === null) return null;
  const known = head.subarray(0, 2).equals(Buffer.from('#!')) || head.equals(Buffer.from('\x7fELF', 'latin1'));
  return known ? null : "it is neither a program nor a script with a '#!' line; start it with a line such as #!/bin/sh";
}

/** How much the kernel reads of the first line of a script (BINPRM_BUF_SIZE). */
const firstLineBytes = 256;

/** Returns the path of the interpreter in the `#!` line, relative to `/` as for the script; null if there is none. */
export async function interpreterOf(path: string): Promise<string | null> {
  const line = (await headOf(path, firstLineBytes))?.toString('latin1').split('\n')[0] ?? '';
  const word = /^#![ \t]*([^ \t\0]+)/u.exec(line)?.[1];
  if (word === undefined) return null;
  const named = Buffer.from(word, 'latin1').toString('utf8');
  return named.startsWith('/') ? named : `/${named}`;
}

async function headOf(path: string, bytes: number): Promise<Buffer | null> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return null;
  }
}
