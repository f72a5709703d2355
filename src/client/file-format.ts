import { closeSync, constants, openSync, readSync } from 'node:fs';
import { codeOf } from '../contract/error-code.js';
import { systemError } from './system-error.js';

/** Maximum depth of interpreters that are scripts themselves, as in the kernel. */
const mostInterpreters = 4;

/**
 * Throws the system's error if the kernel has no format for the file. Node would run such a file through a shell, as
 * execvp(3) does, and the shell would execute its first line as a command. libvirt uses execve(2), which runs no such
 * file.
 */
export function refuseUnknownFormat(file: string, depth = 0): void {
  const head = Buffer.alloc(256);
  const size = readHead(file, head);
  if (isOwnMachine(head)) return;
  const interpreter = /^#![ \t]*([^ \t\n\0]+)[ \t\n]/u.exec(head.toString('latin1', 0, size))?.[1];
  if (interpreter === undefined) throw systemError('ENOEXEC');
  if (depth === mostInterpreters) throw systemError('ELOOP');
  refuseUnknownFormat(Buffer.from(interpreter, 'latin1').toString(), depth + 1);
}

/** Reads the beginning of a file and returns the number of bytes read. Throws execve(2)'s error for a folder. */
function readHead(file: string, head: Buffer): number {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    return readSync(fd, head);
  } catch (error) {
    throw codeOf(error) === 'EISDIR' ? systemError('EACCES') : error;
  } finally {
    closeSync(fd);
  }
}

/**
 * Returns whether an ELF header belongs to a program for this machine. Compares its class, byte order and processor
 * with those of Node itself.
 */
function isOwnMachine(head: Buffer): boolean {
  const own = Buffer.alloc(20);
  readHead(process.execPath, own);
  return own.compare(head, 0, 6, 0, 6) === 0 && own.compare(head, 18, 20, 18, 20) === 0;
}
