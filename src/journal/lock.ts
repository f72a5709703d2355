import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HookvisorError } from '../errors.js';
import { hasCode } from './journal-error.js';

/**
 * Makes this process the only writer of a journal, by a file `lock` that names the process and when it started. The lock
 * of a process that is gone is taken over, also when another process has its number by now. Gives the function that
 * frees it. Throws HookvisorError `already-running`.
 */
export function lockJournal(dir: string): () => void {
  const path = join(dir, 'lock');
  const mine = join(dir, `lock.${randomUUID()}`);
  writeFileSync(mine, `${process.pid} ${startOf(process.pid) ?? '-'}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // The link is there with its content, or not at all.
    while (!attempt(mine, path)) removeStale(path, dir);
  } finally {
    unlinkSync(mine);
  }
  return () => {
    unlinkSync(path);
  };
}

function attempt(mine: string, path: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function removeStale(path: string, dir: string): void {
  const holder = holderOf(path);
  if (holder === null) return;
  refuseIfAlive(holder, dir);
  // Another process may take the lock over at the same moment: what was moved away is looked at once more.
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = holderOf(aside);
  if (moved !== null && moved !== holder) attempt(aside, path);
  unlinkSync(aside);
  if (moved !== null && moved !== holder) refuseIfAlive(moved, dir);
}

function refuseIfAlive(holder: string, dir: string): void {
  const [pid = '', start = '-'] = holder.trim().split(' ');
  const now = /^\d+$/u.test(pid) ? startOf(Number(pid)) : null;
  if (now === null || (start !== '-' && start !== now)) return;
  throw new HookvisorError(
    'already-running',
    `Cannot write the journal '${dir}': another runtime (process ${pid}) writes it; stop it, use 'hookvisor reload', ` +
      'or set another journal.dir',
    { fields: { dir, pid: Number(pid) } },
  );
}

function holderOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** When a process started, in a form that no later process of that number has; null when there is none. */
function startOf(pid: number): string | null {
  try {
    // proc(5): the second field is the name in parentheses, which may hold anything; the 22nd is the start time.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch (error) {
    if (!hasCode(error, 'ENOENT') && !hasCode(error, 'ESRCH')) throw error;
    return process.platform === 'linux' || !exists(pid) ? null : '-';
  }
}

/** All that can be known without Linux's /proc. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}
