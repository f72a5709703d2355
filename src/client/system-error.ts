import { codeOf } from '../contract/error-code.js';
import { messageOf } from '../contract/errors.js';

/** The texts of strerror(3) for the errors of a Unix socket or a small file, so that both clients print the same. */
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

/** Returns an error that looks like one thrown by the system. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Returns the text of strerror(3) for a failure, or its message if it has no code. */
export function textOf(error: unknown): string {
  const code = codeOf(error);
  return code === null ? messageOf(error) : (errorTexts[code] ?? code);
}
