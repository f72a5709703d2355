import { readSync } from 'node:fs';
import { Socket } from 'node:net';

/** Reads one end of a pipe into memory, up to a bound. */
export interface Capture {
  /** Takes what the pipe holds right now, stops reading and gives everything kept. Never waits. */
  finish(): { readonly bytes: Buffer; readonly overflowed: boolean };
}

/** As much as a pipe can hold (/proc/sys/fs/pipe-max-size): what a process left behind at its exit is never more. */
const pipeBytes = 1024 * 1024;

/**
 * Keeps the first `maxBytes` that arrive at `fd` and drops the rest, still reading. `onOverflow` is called once, when
 * the first byte is dropped. Owns `fd`.
 */
export function capture(fd: number, maxBytes: number, onOverflow: () => void): Capture {
  const chunks: Buffer[] = [];
  let kept = 0;
  let overflowed = false;
  const keep = (chunk: Buffer): void => {
    const room = chunk.subarray(0, maxBytes - kept);
    if (room.length > 0) chunks.push(room);
    kept += room.length;
    if (room.length < chunk.length && !overflowed) {
      overflowed = true;
      onOverflow();
    }
  };

  // Handing the descriptor to a socket makes it non-blocking.
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('data', keep);
  socket.on('error', () => undefined);

  return {
    finish() {
      // A destroyed socket has closed the descriptor, whose number may already be another file's.
      if (!socket.destroyed) readWhatIsThere(fd, keep);
      socket.destroy();
      return { bytes: Buffer.concat(chunks), overflowed };
    },
  };
}

/**
 * Empties a non-blocking pipe. A background child may hold it open for ever, and may even write for ever, so neither
 * its end nor a pause is waited for.
 */
function readWhatIsThere(fd: number, keep: (chunk: Buffer) => void): void {
  for (let taken = 0; taken < pipeBytes;) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const length = readOrNothing(fd, chunk);
    if (length === 0) return;
    keep(chunk.subarray(0, length));
    taken += length;
  }
}

/** Bytes read; 0 at the end of the pipe and when it is empty (EAGAIN). */
function readOrNothing(fd: number, into: Buffer): number {
  try {
    return readSync(fd, into);
  } catch {
    return 0;
  }
}
