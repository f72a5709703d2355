import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Both ends of one pipe, as blocking descriptors that are closed on exec. The owner closes them. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/** A small stock of pipes, made ahead. Disposing it closes the stock; it may be used again afterwards. */
export interface PipePool extends AsyncDisposable {
  /** Takes `count` pipes out of the stock, making more when it runs short. */
  take(count: number): Promise<readonly Pipe[]>;
}

const batch = 8;

/**
 * Makes real pipes. Node connects a child by socket pairs, and a script cannot open those by name: `cat /dev/stdin`
 * and `echo … >/dev/stderr` fail there with ENXIO, while they work in a hook that libvirt runs. Node has no pipe(2),
 * so each pipe is a FIFO made by mkfifo(1) in a private folder, opened at both ends and unlinked at once.
 */
export function createPipePool(): PipePool {
  let stock: Pipe[] = [];
  let making: Promise<void> | null = null;

  const refill = (): Promise<void> => {
    making ??= makePipes(batch)
      .then((made) => {
        stock.push(...made);
      })
      .finally(() => {
        making = null;
      });
    return making;
  };

  return {
    async take(count) {
      while (stock.length < count) await refill();
      const taken = stock.splice(0, count);
      // Ahead of the next event; should it fail, that event tries again and reports it.
      if (stock.length < batch / 2) refill().catch(() => undefined);
      return taken;
    },
    async [Symbol.asyncDispose]() {
      await making?.catch(() => undefined);
      for (const pipe of stock) closePipe(pipe);
      stock = [];
    },
  };
}

/** Closes both ends. */
export function closePipe(pipe: Pipe): void {
  closeSync(pipe.read);
  closeSync(pipe.write);
}

async function makePipes(count: number): Promise<Pipe[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hookvisor-pipes-'));
  try {
    const paths = Array.from({ length: count }, (_, index) => join(folder, String(index)));
    await promisify(execFile)('mkfifo', ['-m', '600', '--', ...paths]);
    return openAll(paths);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function openAll(paths: readonly string[]): Pipe[] {
  const opened: Pipe[] = [];
  try {
    for (const path of paths) opened.push(openBothEnds(path));
    return opened;
  } catch (error) {
    for (const pipe of opened) closePipe(pipe);
    throw error;
  }
}

function openBothEnds(path: string): Pipe {
  // Opening one end of a FIFO waits for the other end, unless somebody has both: us, for a moment.
  const both = openSync(path, constants.O_RDWR);
  try {
    const read = openSync(path, constants.O_RDONLY);
    try {
      return { read, write: openSync(path, constants.O_WRONLY) };
    } catch (error) {
      closeSync(read);
      throw error;
    }
  } finally {
    closeSync(both);
  }
}
