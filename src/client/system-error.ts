import { codeOf } from '../contract/error-code.js';
import { messageOf } from '../contract/errors.js';

/**
 * The words of strerror(3) for what a Unix socket or a small file can fail with, so that both clients say the same.
 */
const errorTexts: Readonly<Record<string, string>> = {
  E2BIG: 'Argument list too long',
  EACCES: 'Permission denied',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  ENOEXEC: 'Exec format error',
  EPIPE: 'Broken pipe',
};

/** Makes an error that the system did not throw look as if it had. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Returns what strerror(3) says of a failure; the message of one that has no code. */
export function textOf(error: unknown): string {
  const code = codeOf(error);
  return code === null ? messageOf(error) : (errorTexts[code] ?? code);
}
