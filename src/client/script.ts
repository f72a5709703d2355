import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { refuseUnknownFormat } from './file-format.js';
import { say, shownPath } from './output.js';
import { codeOf } from '../contract/error-code.js';
import { textOf } from './system-error.js';

type Ended = { error: Error } | { status: number | null; signal: NodeJS.Signals | null };
type Stop = { stop: 'deadline' | NodeJS.Signals };
type Cut = { cut: Error };

const killGraceMs = 500;
const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Runs the script as the leader of a session and process group of its own; stops the group at its deadline. Returns its
 * status; 1 if it gave none, or was not given its whole document.
 */
export async function runScript(script: string, document: Buffer, deadlineMs: number): Promise<number> {
  const stop = stopRequest(deadlineMs);
  let child: ChildProcess;
  try {
    refuseUnknownFormat(script);
    // Loaded here: hardly any call needs it, and every call would wait for it.
    const { spawn } = await import('node:child_process');
    child = spawn(script, process.argv.slice(2), {
      argv0: process.argv[1],
      detached: true, // makes it a group (and session) leader
      stdio: [document.length === 0 ? 'ignore' : 'pipe', 'inherit', 'inherit'],
    });
  } catch (error) {
    return cannotRun(script, error);
  }
  const first = await Promise.race([endOf(child), stop, giveDocument(child, document)]);
  if ('error' in first) return cannotRun(script, first.error);
  if ('status' in first) {
    if (first.signal === null) return first.status ?? 1; // Node gives the one or the other
    await say(`'${shownPath(script)}' was ended by signal ${constants.signals[first.signal]}`);
    return 1;
  }
  await stopGroup(child);
  await say(`'${shownPath(script)}' ${whyStopped(first)}`);
  return 1;
}

function whyStopped(first: Stop | Cut): string {
  if ('cut' in first) return `was not given its whole document (${textOf(first.cut)}) and was killed`;
  if (first.stop === 'deadline') return 'did not finish in time and was killed';
  return `was stopped by signal ${constants.signals[first.stop]}`;
}

async function cannotRun(script: string, error: unknown): Promise<number> {
  await say(
    `cannot run '${shownPath(script)}', named in the file for an unreachable runtime: ${textOf(error)}; correct the file`,
  );
  return 1;
}

function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      resolve({ error });
    });
    child.once('exit', (status, signal) => {
      resolve({ status, signal });
    });
  });
}

/** Resolves only if the script is not given its whole document. One that does not read it, or not all, has been given it. */
function giveDocument(child: ChildProcess, document: Buffer): Promise<Cut> {
  return new Promise((resolve) => {
    child.stdin?.on('error', (error) => {
      if (!['EPIPE', 'ECONNRESET'].includes(codeOf(error) ?? '')) resolve({ cut: error });
    });
    child.stdin?.end(document);
  });
}

/** TERM to the script's group, and KILL once the script has ended, or half a second later. Then it is given up. */
async function stopGroup(child: ChildProcess): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const ended = child.exitCode !== null || child.signalCode !== null ? null : endOf(child);
    child.kill(signal);
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // The group is gone, which is what was wanted.
    }
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, killGraceMs))]);
  }
}

/** Resolves at the deadline, or when this process is asked to stop. */
function stopRequest(deadlineMs: number): Promise<Stop> {
  return new Promise((resolve) => {
    setTimeout(() => {
      resolve({ stop: 'deadline' });
    }, deadlineMs);
    for (const signal of stopSignals) {
      process.once(signal, () => {
        resolve({ stop: signal });
      });
    }
  });
}
