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
 * Runs the script as the leader of its own session and process group, and stops the group at the deadline. Returns the
 * script's exit status; 1 if it has none or did not receive its whole document.
 */
export async function runScript(script: string, document: Buffer, deadlineMs: number): Promise<number> {
  const stop = stopRequest(deadlineMs);
  let child: ChildProcess;
  try {
    refuseUnknownFormat(script);
    // Loaded on demand: few calls need it, and every call would wait for it.
    const { spawn } = await import('node:child_process');
    child = spawn(script, process.argv.slice(2), {
      argv0: process.argv[1],
      detached: true, // makes it a group and session leader
      stdio: [document.length === 0 ? 'ignore' : 'pipe', 'inherit', 'inherit'],
    });
  } catch (error) {
    return cannotRun(script, error);
  }
  const first = await Promise.race([endOf(child), stop, giveDocument(child, document)]);
  if ('error' in first) return cannotRun(script, first.error);
  if ('status' in first) {
    if (first.signal === null) return first.status ?? 1; // Node sets exactly one of them
    await say(`'${shownPath(script)}' was terminated by signal ${constants.signals[first.signal]}`);
    return 1;
  }
  await stopGroup(child);
  await say(`'${shownPath(script)}' ${whyStopped(first)}`);
  return 1;
}

function whyStopped(first: Stop | Cut): string {
  if ('cut' in first) return `did not receive its whole document (${textOf(first.cut)}) and was killed`;
  if (first.stop === 'deadline') return 'did not finish in time and was killed';
  return `was stopped by signal ${constants.signals[first.stop]}`;
}

async function cannotRun(script: string, error: unknown): Promise<number> {
  await say(
    `cannot run '${shownPath(script)}', which the policy for an unreachable runtime names: ${textOf(error)}; correct the file`,
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

/** Resolves only if writing the document fails. A script that ignores its document, or part of it, is not a failure. */
function giveDocument(child: ChildProcess, document: Buffer): Promise<Cut> {
  return new Promise((resolve) => {
    child.stdin?.on('error', (error) => {
      if (!['EPIPE', 'ECONNRESET'].includes(codeOf(error) ?? '')) resolve({ cut: error });
    });
    child.stdin?.end(document);
  });
}

/**
 * Sends TERM to the script's group, then KILL once the script has ended or half a second later. Then it gives up
 * waiting.
 */
async function stopGroup(child: ChildProcess): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const ended = child.exitCode !== null || child.signalCode !== null ? null : endOf(child);
    child.kill(signal);
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // The group has already ended.
    }
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, killGraceMs))]);
  }
}

/** Resolves at the deadline, or when this process receives a stop signal. */
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
