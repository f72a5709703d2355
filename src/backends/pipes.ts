import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

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

/** Where the shell holds the pipes; a POSIX shell can name descriptors up to 9. */
const descriptors = [3, 4, 5, 6, 7, 8] as const;

/** What the shell does when it holds the pipes: say its process id, and wait until we close its stdin. */
const sayAndWait = 'echo $$; read line <&9';

/** The quick way: dash, busybox and bash from 5.1 on make a pipe for each here-document, here of one empty line. */
const byHereDocuments = ['exec 9<&0', ...descriptors.map((fd) => `exec ${fd}<<END\n\nEND`), sayAndWait].join('\n');

/** The way of every shell: pipelines nested into each other, whose innermost process inherits all reading ends. */
const byPipelines = [
  'exec 9<&0; ',
  ...descriptors.map((fd) => `: | { exec ${fd}<&0; `),
  `exec /bin/sh -c '${sayAndWait}'; `,
  ...descriptors.map(() => '}; '),
].join('');

/**
 * Makes real pipes. Node connects a child by socket pairs, and a script cannot open those by name: `cat /dev/stdin`
 * and `echo … >/dev/stderr` fail there with ENXIO, while they work in a hook that libvirt runs. Node has no pipe(2),
 * and a FIFO is no substitute (opening /dev/stdin waits for ever when its writer is done), so a shell makes the pipes,
 * some at a time, and they are opened here before it ends.
 */
export function createPipePool(): PipePool {
  let stock: Pipe[] = [];
  let making: Promise<void> | null = null;

  const refill = (): Promise<void> => {
    making ??= makePipes()
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
      if (stock.length < descriptors.length) refill().catch(() => undefined);
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

async function makePipes(): Promise<Pipe[]> {
  // Other shells put here-documents into files.
  return (await pipesOf(byHereDocuments)) ?? (await pipesOf(byPipelines)) ?? noPipes();
}

function noPipes(): never {
  throw new Error('/bin/sh made no pipes');
}

/** Runs the shell until its pipes are open here as well; null when they are not pipes. Throws Node's errors. */
async function pipesOf(script: string): Promise<Pipe[] | null> {
  const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'], env: {}, cwd: '/' });
  shell.stdin.on('error', () => undefined);
  try {
    const pid = await firstLine(shell);
    const paths = descriptors.map((fd) => `/proc/${pid}/fd/${fd}`);
    return paths.every((path) => statSync(path).isFIFO()) ? openAll(paths) : null;
  } finally {
    shell.stdin.end();
  }
}

/** The first line of stdout, which is a process id. */
function firstLine(shell: ChildProcessByStdio<Writable, Readable, null>): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    shell.once('error', reject);
    shell.stdout.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(Number(text));
    });
    shell.once('close', (status) => {
      reject(new Error(`/bin/sh could not make pipes (exit status ${String(status)})`));
    });
  });
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

/** Linux opens a pipe anew by its link in /proc, at either end and without waiting for the other. */
function openBothEnds(path: string): Pipe {
  empty(path);
  const read = openSync(path, constants.O_RDONLY);
  try {
    return { read, write: openSync(path, constants.O_WRONLY) };
  } catch (error) {
    closeSync(read);
    throw error;
  }
}

/** Takes out the line of a here-document. */
function empty(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    readSync(fd, Buffer.alloc(16));
  } catch {
    // EAGAIN: there was none.
  } finally {
    closeSync(fd);
  }
}
