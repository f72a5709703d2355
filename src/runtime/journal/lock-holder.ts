import { type BigIntStats, fstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { oneLine } from '../../contract/text.js';

/** The content of the file `lock`: the process that claims to hold the lock. Only for messages; the kernel decides. */
const noteSchema = z.object({
  pid: z.number().int().positive(),
  /** pid_namespaces(7): the PID is meaningless in another namespace. */
  pidNamespace: z.string(),
  host: z.string(),
});

type Note = z.infer<typeof noteSchema>;

/** The holder of a lock, as far as it is visible to this process. */
export interface LockHolder {
  /** Its PID, in its own PID namespace if it is not visible from this one; null if unknown. */
  readonly pid: number | null;
  /** A part of a sentence: `process 4711`. */
  readonly text: string;
}

/** Returns what a process writes to a file that it has locked. */
export function noteOfThisProcess(): string {
  const note: Note = { pid: process.pid, pidNamespace: pidNamespace(), host: hostname() };
  return `${JSON.stringify(note)}\n`;
}

/** Finds the holder of the lock on an open file: from the kernel, or else from the note in the file. */
export function findLockHolder(file: number): LockHolder {
  const note = noteIn(file);
  const seen = processHolding(fstatSync(file, { bigint: true }));
  const pid = seen ?? note?.pid ?? null;
  if (pid === null) return { pid, text: 'its process is not visible from here' };
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
 * Returns the PID, in this PID namespace, of the process that holds a lock on an open file, from proc_pid_fdinfo(5). The
 * kernel's list of locks would name flock(1), which has exited. Null if this process is not allowed to see it.
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
    // The descriptor was closed meanwhile.
    return false;
  }
}

/** Returns nothing if the process has exited or belongs to another user. */
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
