import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { codeOf } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { FrameReader } from '../../contract/framing.js';
import { bounds } from '../../contract/limits.js';
import { packageRoot } from '../../shared/paths.js';
import { decodeAnswer, encodeRequest, graceMs, type SpawnEnd, type SpawnRequest } from './spawner-protocol.js';

/**
 * Runs programs through a small native process (native/spawner.c). Node would copy the page tables of the whole runtime
 * for each program, and use socket pairs for stdio, which a script cannot open by name (`cat /dev/stdin`).
 */
export interface Spawner extends AsyncDisposable {
  /** Starts the native process unless it is running. Throws HookvisorError `runner` if it cannot be started. */
  start(): Promise<void>;
  /**
   * Runs a program without a shell, as the leader of its own session and process group, in `/`. Resolves when the
   * leader has exited; its background processes may keep running and delay nothing. Termination affects the whole
   * group: TERM, and KILL after {@link graceMs}. Rejects with the error of the system (`code`) if the program cannot be
   * executed, and with HookvisorError `runner` if the native process dies before it has answered, or if the program did
   * not receive its complete document or some of its output was lost.
   */
  run(request: SpawnRequest): Promise<SpawnEnd>;
}

/** Creates a spawner for the native executable `program`. Disposal terminates all programs; it can be used again. */
export function createSpawner(program = join(packageRoot, 'dist', 'spawner')): Spawner {
  let current: Connection | null = null;
  const connection = (): Connection => {
    if (current === null || current.closed()) current = connect(program);
    return current;
  };
  return {
    async start() {
      await connection().started;
    },
    async run(request) {
      return connection().run(request);
    },
    async [Symbol.asyncDispose]() {
      const ending = current;
      current = null;
      await ending?.end();
    },
  };
}

/** One instance of the native process. */
interface Connection {
  readonly started: Promise<void>;
  closed(): boolean;
  run(request: SpawnRequest): Promise<SpawnEnd>;
  end(): Promise<void>;
}

function connect(program: string): Connection {
  const child = spawn(program, [], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const { started, gone } = lifeOf(child);
  const socket = child.stdio[3];
  if (!(socket instanceof Socket)) throw unstarted(program, new Error('it has no socket'));
  const waiting = new Map<number, (end: SpawnEnd | Error) => void>();
  let lastId = 0;
  let closed = false;
  // Neither the process nor its socket keeps this process alive.
  child.unref();
  socket.unref();

  const reader = new FrameReader(bounds.frameBytes);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const { id, end } of reader.push(chunk).map(decodeAnswer)) waiting.get(id)?.(end);
    } catch {
      socket.destroy();
    }
  });
  socket.once('close', () => {
    closed = true;
    if (waiting.size > 0) child.ref();
    // When its socket closes, the process kills its programs and exits, unless it hangs.
    const kill = setTimeout(() => child.kill('SIGKILL'), graceMs).unref();
    void gone.then((how) => {
      clearTimeout(kill);
      for (const settle of waiting.values()) settle(lost(how));
    });
  });

  return {
    started,
    closed: () => closed,
    run: (request) =>
      new Promise((resolve, reject) => {
        const id = (lastId = (lastId + 1) >>> 0);
        socket.write(encodeRequest(id, request));
        socket.ref();
        const stopWatching = afterTwice((request.deadlineMs + 3 * graceMs) / 2, () => {
          socket.destroy();
        });
        waiting.set(id, (end) => {
          waiting.delete(id);
          stopWatching();
          if (waiting.size === 0) socket.unref();
          if (end instanceof Error) reject(end);
          else resolve(end);
        });
      }),
    async end() {
      child.ref();
      socket.destroy();
      await gone;
    },
  };
}

/** Resolves when a process has started, and when it has exited, with a description of how. */
function lifeOf(child: ChildProcess): { started: Promise<void>; gone: Promise<string> } {
  const started = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(unstarted(child.spawnfile, error));
    });
  });
  // Callers that do not await it are told by `gone`.
  started.catch(() => undefined);
  const gone = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(`it could not be started: ${messageOf(error)}`);
    });
    child.once('exit', (status, signal) => {
      resolve(signal === null ? `it exited with status ${String(status)}` : `it was terminated by ${signal}`);
    });
  });
  return { started, gone };
}

function unstarted(program: string, error: Error): HookvisorError {
  const what = codeOf(error) === 'ENOENT' ? 'it is not built' : messageOf(error);
  const todo = "scripts need it, so install gcc and libc6-dev and run 'npm run build'";
  return new HookvisorError('runner', `Cannot start '${program}': ${what}; ${todo}`, { cause: error });
}

function lost(how: string): HookvisorError {
  return new HookvisorError('runner', `the process that starts scripts died (${how}); the next event starts it again`);
}

/** Acts after `ms` and as long again, so that a busy runtime can first read what has already arrived. */
function afterTwice(ms: number, act: () => void): () => void {
  let timer = setTimeout(() => {
    timer = setTimeout(act, ms);
  }, ms);
  return () => {
    clearTimeout(timer);
  };
}
