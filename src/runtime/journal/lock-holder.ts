import { type BigIntStats, fstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { oneLine } from '../../contract/text.js';

/** Who says in the file `lock` that it holds the lock. Whether that is so, the kernel knows: this is for a message only. */
const noteSchema = z.object({
  pid: z.number().int().positive(),
  /** pid_namespaces(7): the number means nothing in another one. */
  pidNamespace: z.string(),
  host: z.string(),
});

type Note = z.infer<typeof noteSchema>;

/** Who holds a lock, as far as that can be seen from here. */
export interface LockHolder {
  /** Its number, in its own PID namespace where it cannot be seen from this one; null when that is unknown, too. */
  readonly pid: number | null;
  /** A part of a sentence: `process 4711`. */
  readonly text: string;
}

/** What a process writes into a file that it has locked. */
export function noteOfThisProcess(): string {
  const note: Note = { pid: process.pid, pidNamespace: pidNamespace(), host: hostname() };
  return `${JSON.stringify(note)}\n`;
}

/** Finds who holds the lock on what is open as `file`: by the kernel's word, else by the note in it. */
export function findLockHolder(file: number): LockHolder {
  const note = noteIn(file);
  const seen = processHolding(fstatSync(file, { bigint: true }));
  const pid = seen ?? note?.pid ?? null;
  if (pid === null) return { pid, text: 'which process is unknown: it cannot be seen from here' };
  if (note === null) return { pid, text: `process ${pid}` };
  if (note.host !== hostname()) {
    const host = `host or container '${oneLine(note.host, 64)}'`;
    return { pid, text: seen === null ? `process ${pid} on ${host}` : `process ${pid}, of ${host}` };
  }
  const isFar = seen === null && note.pidNamespace !== pidNamespace();
  return { pid, text: isFar ? `process ${pid} of another PID namespace` : `process ${pid}` };
}

function noteIn(file: number): Note | null {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

/**
 * The number, in this PID namespace, of a process that has a file open with a lock on it: proc_pid_fdinfo(5). The kernel's
 * list of locks would name flock(1), which is gone. Null when this process may not see it.
 */
function processHolding(stats: BigIntStats): number | null {
  const pids = namesIn('/proc').filter((name) => /^\d+$/u.test(name));
  const found = pids.find((pid) => namesIn(`/proc/${pid}/fd`).some((descriptor) => isLocked(pid, descriptor, stats)));
  return found === undefined ? null : Number(found);
}

function isLocked(pid: string, descriptor: string, { dev, ino }: BigIntStats): boolean {
  try {
    const open = statSync(`/proc/${pid}/fd/${descriptor}`, { bigint: true });
    if (open.dev !== dev || open.ino !== ino) return false;
    return /^lock:.*\bFLOCK\b/mu.test(readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8'));
  } catch {
    // It was closed meanwhile.
    return false;
  }
}

/** Nothing for the folder of a process that is gone, or another user's. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
