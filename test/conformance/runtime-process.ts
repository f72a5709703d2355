import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { HookvisorError } from '../../src/contract/errors.js';
import { packageRoot } from '../../src/shared/paths.js';

/** A runtime that is a process of its own, so that its memory, its children and its files are nobody else's. */
export interface RuntimeProcess extends AsyncDisposable {
  readonly pid: number;
  /** Asks `test/fixtures/hostile/runtime.mjs` for something. Throws HookvisorError with the code that it gives. */
  ask(what: string, fields?: object): Promise<unknown>;
}

/** Where it may write. It makes these folders, and `tmp`, below one. */
export interface RuntimeFolders {
  readonly cache: string;
  readonly journal: string;
  readonly tmp: string;
}

const answerSchema = z.union([
  z.object({ id: z.number(), ok: z.unknown() }).refine((answer) => 'ok' in answer),
  z.object({ id: z.number(), error: z.object({ code: z.custom<HookvisorError['code']>(), message: z.string() }) }),
]);

interface Waiting {
  readonly resolve: (ok: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * As the systemd unit does: without it glibc keeps up to 64 MB for the next large buffer, once there have been some
 * (mallopt(3), M_MMAP_THRESHOLD).
 */
const givesMemoryBack = { MALLOC_TRIM_THRESHOLD_: '131072' };

/** Starts it, and waits until it takes questions. */
export async function startRuntimeProcess({ cache, journal, tmp }: RuntimeFolders): Promise<RuntimeProcess> {
  await mkdir(tmp, { recursive: true });
  const script = join(packageRoot, 'test', 'fixtures', 'hostile', 'runtime.mjs');
  const child = fork(script, [join(packageRoot, 'dist'), cache, journal], {
    execArgv: ['--expose-gc'],
    serialization: 'advanced',
    env: { ...process.env, TMPDIR: tmp, ...givesMemoryBack },
  });
  const ended = once(child, 'exit');
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  child.on('message', (message) => {
    const answer = answerSchema.parse(message);
    const one = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) one?.reject(new HookvisorError(answer.error.code, answer.error.message));
    else one?.resolve(answer.ok);
  });
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the runtime is gone'));
  });
  await new Promise((resolve, reject) => waiting.set(0, { resolve, reject }));
  const { pid } = child;
  if (pid === undefined) throw new Error('the runtime did not start');
  return {
    pid,
    ask(what, fields = {}) {
      const id = (asked += 1);
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        child.send({ id, ask: what, ...fields });
      });
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
