import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { hasCode } from '../../contract/error-code.js';
import { HookvisorError } from '../../contract/errors.js';

/**
 * Binds a socket to a path, after removing a stale socket of a terminated runtime. Throws HookvisorError
 * `already-running` when a process answers there, `usage` when the path is not a socket, and the errors of `bind`.
 */
export async function takeOver<T>(path: string, bind: () => Promise<T>): Promise<T> {
  return bind().catch(async (error: unknown) => {
    if (!hasCode(error, 'EADDRINUSE')) throw error;
    await removeStale(path);
    return bind();
  });
}

async function removeStale(path: string): Promise<void> {
  if (!(await lstat(path)).isSocket()) {
    throw new HookvisorError(
      'usage',
      `Cannot listen on '${path}': it is not a socket; move it away, or set 'socket' in the configuration`,
    );
  }
  if (await answers(path)) {
    throw new HookvisorError(
      'already-running',
      `Cannot listen on '${path}': another runtime answers there; stop it, or use 'hookvisor reload'`,
      { fields: { socket: path } },
    );
  }
  await unlink(path);
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (hasCode(error, 'ECONNREFUSED', 'ENOENT')) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
