import { chmodSync, chownSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '../../contract/errors.js';
import { readOnlySocketName } from '../../contract/protocol.js';
import { groupId } from '../files/accounts.js';
import type { Log } from '../log.js';
import type { Answer, Listener } from './listener.js';
import { listenWithNode } from './net-listener.js';
import { takeOver } from './stale-socket.js';

export interface ReadersSocketOptions {
  /** Path of the runtime's socket; the socket for readers is in the same folder. */
  readonly socket: string;
  /** Name of the group whose members may connect. */
  readonly group: string;
  readonly answer: Answer;
  readonly patienceMs: number;
  readonly log: Log;
}

/**
 * Listens on the socket for those who may only look: `read-only.sock`, mode 0660. Returns null and logs why when it
 * cannot: hooks must be answered whether or not somebody may look.
 */
export async function listenForReaders(options: ReadersSocketOptions): Promise<Listener | null> {
  const { socket, group, answer, patienceMs, log } = options;
  const path = join(dirname(socket), readOnlySocketName);
  try {
    const gid = groupId(group);
    letThrough(dirname(socket), gid);
    const listener = await takeOver(path, () => listenWithNode({ place: { path }, answer, patienceMs }));
    chownSync(path, process.geteuid?.() ?? 0, gid);
    chmodSync(path, 0o660);
    return {
      async stop() {
        rmSync(path, { force: true });
        await listener.stop();
      },
      close: () => listener.close(),
    };
  } catch (error) {
    log('error', `The group '${group}' cannot use '${path}': ${messageOf(error)}`);
    return null;
  }
}

/** Lets a group reach what is in a folder, unless everybody may already. */
function letThrough(folder: string, gid: number): void {
  const { mode, uid, gid: current } = statSync(folder);
  if ((mode & 0o001) !== 0 || ((mode & 0o010) !== 0 && current === gid)) return;
  chownSync(folder, uid, gid);
  chmodSync(folder, (mode & 0o7700) | 0o010);
}
