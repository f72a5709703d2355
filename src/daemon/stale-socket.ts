import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { hasCode } from '../error-code.js';
import { HookvisorError } from '../errors.js';

/**
 * Binds a socket to a path; one that a dead runtime left behind there is removed first. Throws HookvisorError
 * `already-running` when somebody answers at it, `usage` when it is no socket, and what `bind` throws.
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
    throw new HookvisorError('usage', `Cannot listen on '${path}': it is not a socket; move it away or set 'socket'`);
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
