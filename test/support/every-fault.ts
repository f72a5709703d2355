import { existsSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

type Errno = keyof typeof constants.errno;

/** What each call can plausibly fail with; `short` takes or gives a part of the bytes only. */
const failures: Readonly<Record<string, readonly (Errno | 'short')[]>> = {
  accept4: ['EMFILE', 'ENOMEM', 'ECONNABORTED', 'EINTR'],
  bind: ['EADDRINUSE', 'EACCES'],
  connect: ['EAGAIN', 'ECONNREFUSED', 'EINTR'],
  dup2: ['EBUSY'],
  epoll_create1: ['EMFILE'],
  epoll_ctl: ['ENOMEM', 'ENOSPC'],
  epoll_wait: ['EINTR', 'EINVAL'],
  execv: ['ENOEXEC', 'ENOMEM'],
  execve: ['ENOEXEC', 'ENOMEM'],
  fcntl: ['EBADF', 'EINVAL'],
  fork: ['EAGAIN'],
  ioctl: ['EIO'],
  kill: ['EPERM', 'ESRCH'],
  listen: ['EADDRINUSE'],
  lseek: ['EINVAL'],
  malloc: ['ENOMEM'],
  memfd_create: ['EMFILE'],
  open: ['ENOENT', 'EMFILE', 'EACCES'],
  pipe2: ['EMFILE', 'ENFILE'],
  poll: ['EINTR', 'EINVAL', 'ENOMEM'],
  prctl: ['EPERM'],
  read: ['EIO', 'EINTR', 'ENOMEM', 'short'],
  realloc: ['ENOMEM'],
  recv: ['ENOMEM', 'ECONNRESET', 'EINTR', 'short'],
  send: ['ENOBUFS', 'EPIPE', 'EINTR', 'short'],
  sendmsg: ['ENOMEM', 'EPIPE', 'EINTR', 'short'],
  setsid: ['EPERM'],
  signalfd: ['EMFILE'],
  sigtimedwait: ['EINTR', 'EINVAL'],
  socket: ['EMFILE', 'ENOMEM'],
  vfork: ['EAGAIN'],
  waitid: ['ECHILD', 'EINTR'],
  waitpid: ['ECHILD', 'EINTR'],
  write: ['ENOMEM', 'EIO', 'ENOSPC', 'EINTR', 'short'],
  writev: ['ENOMEM', 'EIO'],
};

/** One call of the system that fails. */
export interface Fault {
  readonly call: string;
  readonly failure: Errno | 'short';
  /** Which call of that name, from 1. */
  readonly at: number;
  /** All after it fail, too. */
  readonly lasting: boolean;
  /** What test/fixtures/native/faults.c reads. */
  readonly env: Readonly<Record<string, string>>;
}

export interface FaultPlan {
  readonly dir: string;
  readonly calls: readonly string[];
  readonly lasting?: boolean;
  /** The first call to fail, where it is not the first of its name. */
  readonly from?: Readonly<Record<string, number>>;
  /** So many calls of each name fail in turn, and of the later ones every fifth: all with HOOKVISOR_FAULTS=all. */
  readonly first?: number;
}

/**
 * Runs `once` for every fault: each call, failing each way, at its first time, its second, and so on until it is not
 * called that often. Three run at the same time. Returns how many faults struck.
 */
export async function everyFault(plan: FaultPlan, once: (fault: Fault) => Promise<void>): Promise<number> {
  const { calls, dir, lasting = false, from = {}, first = 8 } = plan;
  const all = process.env['HOOKVISOR_FAULTS'] === 'all';
  const queue = calls.flatMap((call) => (failures[call] ?? []).map((failure) => ({ call, failure })));
  let struck = 0;
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { call, failure } = next;
      for (let at = from[call] ?? 1; ; at += all || at < first ? 1 : 5) {
        const hit = join(dir, `hit-${call}-${failure}-${at}`);
        const errno = failure === 'short' ? 0 : constants.errno[failure];
        const env = { HOOKVISOR_FAULT: `${call} ${at}${lasting ? '+' : ' '}${errno}`, HOOKVISOR_FAULT_HIT: hit };
        await once({ call, failure, at, lasting, env });
        if (!existsSync(hit)) break;
        rmSync(hit);
        struck += 1;
        if (lasting) break;
      }
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  return struck;
}
