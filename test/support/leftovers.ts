import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a piece of work left behind. */
export interface Leftovers {
  /** `PID COMMAND` of every process that came from this one, directly or not, and still runs. */
  readonly processes: readonly string[];
  /** Paths that were not there before. */
  readonly files: readonly string[];
  /** Growth of the resident memory, bytes; negative when it shrank. */
  readonly rssGrowthBytes: number;
}

export interface Snapshot {
  /** What is left now. Waits up to `waitMs` (5 s) until processes are gone and memory is back within `rssBytes` (20 MB). */
  compare(options?: { readonly waitMs?: number; readonly rssBytes?: number }): Promise<Leftovers>;
}

export interface SnapshotOptions {
  /** Folders of which every file below counts. Give folders of the test's own: others work in /tmp too. */
  readonly folders: readonly string[];
  /** The process whose memory counts; this one unless it is a runtime of its own. */
  readonly pid?: number;
}

const sampleMs = 50;

/**
 * Notes what is there. From then on it also notes every process that this one starts, so that one which was orphaned
 * is found too.
 */
export async function snapshot({ folders, pid = process.pid }: SnapshotOptions): Promise<Snapshot> {
  const before = new Set((await descendants()).map(identity));
  const seen = new Map<string, Running>();
  const look = async (): Promise<void> => {
    for (const one of await descendants()) if (!before.has(identity(one))) seen.set(identity(one), one);
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, sampleMs);
  timer.unref();
  const files = new Set(await filesBelow(folders));
  const rss = await rssOf(pid);

  const current = async (): Promise<Leftovers> => {
    await look();
    const running = new Map((await processes()).map((one) => [identity(one), one]));
    return {
      processes: [...seen].flatMap(([id, one]) => (running.has(id) ? [`${one.pid} ${one.command}`] : [])),
      files: (await filesBelow(folders)).filter((path) => !files.has(path)),
      rssGrowthBytes: (await rssOf(pid)) - rss,
    };
  };
  return {
    async compare({ waitMs = 5_000, rssBytes = 20_000_000 } = {}) {
      const end = performance.now() + waitMs;
      let left = await current();
      while (performance.now() < end && (left.processes.length > 0 || left.rssGrowthBytes > rssBytes)) {
        await sleep(sampleMs);
        left = await current();
      }
      clearInterval(timer);
      await looking;
      return left;
    },
  };
}

interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** Clock ticks since boot: tells a process from a later one with its number. */
  readonly startedAt: string;
}

const identity = ({ pid, startedAt }: Running): string => `${pid} ${startedAt}`;

/** All processes but zombies, which only wait for their parent to look. */
async function processes(): Promise<Running[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
      if (stat === null) return [];
      const [, command = ''] = /\((.*)\)/su.exec(stat) ?? [];
      const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z' || state === 'X') return [];
      return [{ pid: Number(pid), parent: Number(parent), command, startedAt: rest[17] ?? '' }];
    }),
  );
  return found.flat();
}

async function descendants(): Promise<Running[]> {
  const all = await processes();
  const family = new Set([process.pid]);
  const found: Running[] = [];
  for (let more = true; more;) {
    const next = all.filter(({ pid, parent }) => family.has(parent) && !family.has(pid));
    for (const one of next) family.add(one.pid);
    found.push(...next);
    more = next.length > 0;
  }
  return found;
}

async function filesBelow(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
      return entries.map((entry) => join(entry.parentPath, entry.name));
    }),
  );
  return found.flat().sort();
}

/** Resident memory after garbage collection, as far as it can be asked for. */
async function rssOf(pid: number): Promise<number> {
  if (pid !== process.pid) return residentBytes(pid);
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
  await sleep(1);
  runInNewContext('gc()');
  return process.memoryUsage.rss();
}

async function residentBytes(pid: number): Promise<number> {
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/mu.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1_024;
}
