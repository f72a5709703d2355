import { existsSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import type { Log } from '../log.js';
import { gateProgram } from './gate.js';
import { inheritedSocket } from './inherited-socket.js';
import type { Answer, Listener, Place } from './listener.js';
import { listenWithNode } from './net-listener.js';
import { takeOver } from './stale-socket.js';
import { listenWithSteadyGate } from './steady-gate.js';

export interface ListenOptions {
  readonly path: string;
  readonly answer: Answer;
  /** See {@link ListenerOptions}. */
  readonly patienceMs: number;
  readonly log: Log;
  /** The program that accepts hook calls; default: {@link gateProgram}. */
  readonly program?: string;
}

/**
 * Listens on a unix socket of mode 0600, in a folder that is created if missing (0700): through the gate if it is
 * built, otherwise with Node. Removes a stale socket of a terminated runtime. Throws HookvisorError `already-running`
 * when a runtime answers there, `usage` when something else is in the way. A socket that systemd passes is used
 * unchanged.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { path } = options;
  const descriptor = inheritedSocket(path);
  if (descriptor !== null) return listenAt({ descriptor }, options);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return withoutTrace(await takeOver(path, () => listenAt({ path }, options)), path);
  } catch (error) {
    throw error instanceof HookvisorError ? error : cannotListen(path, error);
  }
}

async function listenAt(
  place: Place,
  { answer, patienceMs, log, program = gateProgram }: ListenOptions,
): Promise<Listener> {
  const options = { place, answer, patienceMs };
  if (!existsSync(program)) return listenWithNode(options);
  return listenWithSteadyGate({ ...options, program, log }).catch(async (error: unknown) => {
    if (!(error instanceof HookvisorError)) throw error;
    log('warn', `${error.message}; until then Node accepts the hook calls, which takes about 0.3 ms longer each`);
    return listenWithNode(options);
  });
}

/** Removes the socket when the runtime stops listening, so that hooks fail at once instead of waiting. */
function withoutTrace(listener: Listener, path: string): Listener {
  return {
    async stop() {
      rmSync(path, { force: true });
      await listener.stop();
    },
    close: () => listener.close(),
  };
}

function cannotListen(path: string, cause: unknown): HookvisorError {
  return new HookvisorError(
    'usage',
    `Cannot listen on '${path}': ${messageOf(cause)}; check the owner of the folder, or set 'socket' in the configuration`,
    { cause, fields: { socket: path } },
  );
}
