// @ts-check
// The runtime without decisions: the gate, Node, and, if the configuration has handlers, another Node behind a pipe.
// Accepts the options of `hookvisor serve`.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { requestDeadlineMs } from '../../dist/runtime/listener/answer-request.js';
import { listen } from '../../dist/runtime/listener/listen.js';
import { encodeHookAnswer } from '../../dist/contract/hook-frames.js';

const { values } = parseArgs({ options: { config: { type: 'string' } }, allowPositionals: true });
const setup = z.object({ socket: z.string(), handlers: z.record(z.string(), z.unknown()) });
const { socket, handlers } = setup.parse(JSON.parse(await readFile(values.config ?? '', 'utf8')));
const nothing = Buffer.alloc(0);
const allowed = encodeHookAnswer({ status: 0, stdout: nothing, stderr: nothing });

/** Echoes one request after the other, with the system calls that a runner makes. */
const echo = `
  import { readSync, writeSync } from 'node:fs';
  const chunk = Buffer.allocUnsafe(65_536);
  for (let size = readSync(0, chunk); size > 0; size = readSync(0, chunk)) writeSync(1, chunk, 0, size);`;
const runner =
  Object.keys(handlers).length === 0
    ? null
    : spawn(process.execPath, ['--input-type=module', '-e', echo], { stdio: ['pipe', 'pipe', 'inherit'] });

/** @param {Buffer | null} request */
async function answer(request) {
  if (runner !== null && request !== null) {
    const echoed = new Promise((resolve) => runner.stdout.once('data', resolve));
    runner.stdin.write(request);
    await echoed;
  }
  return allowed;
}

const listener = await listen({ path: socket, answer, patienceMs: requestDeadlineMs, log: () => undefined });
console.log(`listening on ${socket}`);
process.once('SIGTERM', () => {
  void listener
    .stop()
    .then(() => listener.close())
    .then(() => runner?.stdin.end())
    .then(() => process.exit(0));
});
