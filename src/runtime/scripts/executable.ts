import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { codeOf } from '../../contract/error-code.js';

/**
 * Why the file cannot be run as a script, with what to do about it; null when nothing speaks against it. Looks at the
 * file as it is now.
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
      return 'a folder on its path cannot be entered; correct the permissions';
    default:
      return `it cannot be looked at (${codeOf(error) ?? String(error)}); correct the path`;
  }
}

/**
 * A shell, and execvp(3), hand a file of no known format to /bin/sh: an empty or truncated hook would then exit 0 and
 * allow everything. libvirt executes by execve(2), where such a file fails; so it does here.
 */
async function formatProblem(path: string): Promise<string | null> {
  const head = await headOf(path, 4);
  // Executable without being readable is possible; executing it will tell.
  if (head === null) return null;
  const known = head.subarray(0, 2).equals(Buffer.from('#!')) || head.equals(Buffer.from('\x7fELF', 'latin1'));
  return known ? null : "it is neither a program nor a script with a '#!' line; begin it with #!/bin/sh or the like";
}

/** What the kernel reads of a script's first line, BINPRM_BUF_SIZE. */
const firstLineBytes = 256;

/** The path of the interpreter in a script's `#!` line, for a process whose folder is `/`; null for anything else. */
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
