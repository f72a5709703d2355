import { once } from 'node:events';
import { lstat, mkdir, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { HookvisorError, messageOf } from '../errors.js';
import { inheritedSocket } from './inherited-socket.js';

/** Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn. */
const backlog = 4_096;

/**
 * Lets `server` listen on a unix socket of mode 0600, in a folder that is made if missing (0700). A socket that a dead
 * runtime left behind is removed. Throws HookvisorError `already-running` when one answers there, `usage` when
 * something else is in the way. Where systemd holds the socket for us, it is that one, as it is.
 *
 * @returns whether the socket is ours, to be removed in the end
 */
export async function listen(server: Server, path: string): Promise<{ readonly ours: boolean }> {
  const inherited = inheritedSocket(path);
  if (inherited !== null) {
    server.listen({ fd: inherited, backlog });
    await once(server, 'listening');
    return { ours: false };
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw cannotListen(path, error);
  });
  try {
    await bind(server, path);
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE')) throw cannotListen(path, error);
    await removeStale(path);
    await bind(server, path).catch((second: unknown) => {
      throw cannotListen(path, second);
    });
  }
  return { ours: true };
}

async function bind(server: Server, path: string): Promise<void> {
  // The mode must be right from the first moment, so it comes from the umask and not from a later chmod. libuv binds
  // before listen() returns.
  const umask = process.umask(0o177);
  try {
    server.listen({ path, backlog });
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
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
    if (hasCode(error, 'ECONNREFUSED') || hasCode(error, 'ENOENT')) return false;
    throw cannotListen(path, error);
  } finally {
    socket.destroy();
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function cannotListen(path: string, cause: unknown): HookvisorError {
  return new HookvisorError(
    'usage',
    `Cannot listen on '${path}': ${messageOf(cause)}; check the folder's owner, or set 'socket' in the configuration`,
    { cause, fields: { socket: path } },
  );
}
