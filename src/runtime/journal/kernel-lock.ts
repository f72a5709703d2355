import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { findTool } from '../find-tool.js';
import { oneLine } from '../../contract/text.js';

/** Timeout: a network file system may be slow; flock(1) itself never waits. */
const patienceMs = 10_000;

/**
 * Takes an exclusive flock(2) on an open file. Returns false if another open file holds it. Node lacks flock(2), so
 * flock(1) takes the lock: it belongs to the open file, which flock(1) inherits and this process keeps open. The kernel
 * releases it when the descriptor is closed, at the latest when this process dies, because children do not inherit the
 * descriptor. It excludes all processes on this machine, in all namespaces. Throws HookvisorError `journal` if locking
 * fails.
 */
export async function tryKernelLock(descriptor: number, path: string): Promise<boolean> {
  const program = findTool('flock');
  if (program === null)
    throw failure(path, 'flock(1) is not installed; install util-linux, which the journal requires');
  const child = spawn(program, ['-n', '-x', '3'], {
    ...{ cwd: '/', env: { LC_ALL: 'C' }, timeout: patienceMs, killSignal: 'SIGKILL' },
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    await once(child, 'close');
  } catch (error) {
    throw failure(path, `'${program}' cannot be started: ${messageOf(error)}; reinstall util-linux`, error);
  }
  if (child.exitCode === 0) return true;
  if (child.exitCode === 1 && said === '') return false;
  const how = said === '' ? (child.signalCode ?? `status ${String(child.exitCode)}`) : oneLine(said, 200);
  throw failure(path, `'${program}' failed (${how}); use a local file system`);
}

function failure(path: string, why: string, cause?: unknown): HookvisorError {
  return new HookvisorError('journal', `Cannot lock '${path}': ${why}`, { cause, fields: { file: path } });
}
