import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { findTool } from '../find-tool.js';
import { oneLine } from '../../contract/text.js';

/** A network file system may take a while; flock(1) itself never waits. */
const patienceMs = 10_000;

/**
 * Takes flock(2), exclusively, for the open file `path` behind a descriptor. Returns false when another open file has it. Node
 * cannot, so flock(1) does: the lock belongs to what it inherits, which this process keeps open when flock(1) has ended. It
 * lasts until the descriptor is closed, at the latest when this process dies, however that happens: no child gets a
 * descriptor that it is not given. The kernel keeps it, for all processes on this machine, in whatever namespaces. Throws
 * HookvisorError `journal` when it cannot be taken.
 */
export async function tryKernelLock(descriptor: number, path: string): Promise<boolean> {
  const program = findTool('flock');
  if (program === null)
    throw failure(path, 'flock(1) is not installed; install util-linux, a journal is not written without it');
  const child = spawn(program, ['-n', '-x', '3'], {
    ...{ cwd: '/', env: { LC_ALL: 'C' }, timeout: patienceMs, killSignal: 'SIGKILL' },
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    await once(child, 'close');
  } catch (error) {
    throw failure(path, `'${program}' cannot be started: ${messageOf(error)}; correct that`, error);
  }
  if (child.exitCode === 0) return true;
  if (child.exitCode === 1 && said === '') return false;
  const how = said === '' ? (child.signalCode ?? `status ${String(child.exitCode)}`) : oneLine(said, 200);
  throw failure(path, `'${program}' failed (${how}); use a local file system`);
}

function failure(path: string, why: string, cause?: unknown): HookvisorError {
  return new HookvisorError('journal', `Cannot lock '${path}': ${why}`, { cause, fields: { file: path } });
}
