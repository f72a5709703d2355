import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { codeOf } from '../../../src/contract/error-code.js';
import { createSpawner } from '../../../src/runtime/scripts/spawner.js';
import type { SpawnEnd, SpawnRequest } from '../../../src/runtime/scripts/spawner-protocol.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { spawnersOf } from '../../support/spawners.js';

const folder = mkdtempSync(join(tmpdir(), 'hookvisor-spawner-test-'));
const spawner = createSpawner();
afterEach(() => spawner[Symbol.asyncDispose]());
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const usual = { env: [], stdin: null, stdoutBytes: 16 * 1024 * 1024, stderrBytes: 65_536, deadlineMs: 30_000 };

function run(argv: SpawnRequest['argv'], more: Partial<SpawnRequest> = {}): Promise<SpawnEnd> {
  return spawner.run({ ...usual, argv, ...more });
}

function sh(text: string, more: Partial<SpawnRequest> = {}): Promise<SpawnEnd> {
  return run(['/bin/sh', '-c', text], { env: [`PATH=${process.env['PATH'] ?? ''}`], ...more });
}

const out = async (end: Promise<SpawnEnd>): Promise<string> => (await end).stdout.toString();

/** The spawner that a process started. */
function spawnerOf(parent: number | undefined): number {
  const [pid] = parent === undefined ? [] : spawnersOf(parent);
  if (pid === undefined) throw new Error(`no spawner among the children of ${String(parent)}`);
  return pid;
}

function alive(pid: number): boolean {
  try {
    // A zombie that nobody has reaped yet is dead.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !condition(); tries++) await sleep(20);
}

/** What a program says of itself in a file, which it must write whole by renaming. */
async function pidsIn(file: string): Promise<[number, ...number[]]> {
  await until(() => existsSync(file));
  const [first = '', ...rest] = readFileSync(file, 'utf8').trim().split(' ');
  return [Number(first), ...rest.map(Number)];
}

let files = 0;
const fresh = (): string => join(folder, `file-${String(files++)}`);

/** A script that says its own process id and a background child's, and stays. */
const stays = (file: string): string => `sleep 60 & echo $$ $! > ${file}.new; mv ${file}.new ${file}; wait`;

/** Another runtime, as far as scripts are concerned: the built code in a Node of its own, with `spawner` at hand. */
function another(text: string): ChildProcess {
  const module = JSON.stringify(join(packageRoot, 'dist/runtime/scripts/spawner.js'));
  const source = `import { createSpawner } from ${module};
    const spawner = createSpawner();
    const run = (...argv) => spawner.run({ ...${JSON.stringify(usual)}, env: ['PATH=/usr/bin:/bin'], argv });
    ${text}`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'ignore', 'inherit'] });
}

describe('a program that the spawner starts', () => {
  it('gets every argument byte for byte', async () => {
    const argv = ['-rf', '', 'line\nbreak', '$(id)`id`;|', `quo'te"\\`, 'ünïcödé', '\u0001\u001b[31m', '*'];
    expect(await out(run(['/bin/sh', '-c', `printf '%s\\0' "$@"`, 'sh', ...argv]))).toBe(`${argv.join('\0')}\0`);
  });

  it('gets exactly the environment that was asked for', async () => {
    const env = ['A=1', 'EMPTY=', 'LINES=a\nb=c', `QUOTES='"$HOME`];
    expect(await out(run(['/bin/cat', '/proc/self/environ'], { env }))).toBe(`${env.join('\0')}\0`);
    expect(await out(run(['/bin/cat', '/proc/self/environ']))).toBe('');
  });

  it('blocks and ignores no signal, leads its session, and is in /', async () => {
    const status = await out(run(['/bin/cat', '/proc/self/status']));
    expect(/^SigBlk:\s*(\S+)/mu.exec(status)?.[1]).toBe('0'.repeat(16));
    expect(/^SigIgn:\s*(\S+)/mu.exec(status)?.[1]).toBe('0'.repeat(16));
    const stat = await out(run(['/bin/cat', '/proc/self/stat']));
    const [pid, , , , group, session] = stat.split(' ');
    expect([group, session]).toEqual([pid, pid]);
    expect(await out(sh('pwd'))).toBe('/\n');
  });

  it('has no open file but its stdin, stdout and stderr, whatever the spawner inherited', async () => {
    const program = fresh();
    const native = join(packageRoot, 'dist/spawner');
    const text = `#!/bin/sh\nexec 5</dev/null 7</etc/passwd 9>/dev/null\nexec '${native}'\n`;
    writeFileSync(program, text, { mode: 0o755 });
    const leaky = createSpawner(program);
    const look = 'for fd in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do [ -e /proc/$$/fd/$fd ] && echo $fd; done';
    const request = { ...usual, argv: ['/bin/sh', '-c', look] as const, stdin: Buffer.from('document') };
    const end = await leaky.run(request).finally(() => leaky[Symbol.asyncDispose]());
    expect(end.stdout.toString()).toBe('0\n1\n2\n');
  });

  it('may take and give 10 MB', async () => {
    const stdin = Buffer.from(Uint8Array.from({ length: 10_000_000 }, (_, index) => (index * 31 + (index >> 8)) % 256));
    const end = await sh('cat; echo done >&2', { stdin });
    expect(end.stdout.equals(stdin)).toBe(true);
    expect(end.stderr.toString()).toBe('done\n');
  });

  it('may close its stdin amid 10 MB, and still answer', async () => {
    const end = await sh('head -c 5; exec <&-; sleep 0.1; echo " and more"; exit 3', {
      stdin: Buffer.alloc(10_000_000, 'x'),
    });
    expect([end.status, end.stdout.toString()]).toEqual([3, 'xxxxx and more\n']);
  });

  it.each([
    ['that does not exist', 'ENOENT', (): string => '/no/such/program'],
    ['that is a folder', 'EACCES', (): string => folder],
    [
      'of no known format',
      'ENOEXEC',
      (): string => {
        const file = fresh();
        writeFileSync(file, 'exit 0\n', { mode: 0o755 });
        return file;
      },
    ],
  ])('fails with the code of the system for one %s', async (_, code, make) => {
    await expect(run([make()])).rejects.toMatchObject({ code, message: `execve ${code}` });
  });
});

describe('many programs', () => {
  it('run at the same time, 200 of them, each with its own answer', async () => {
    const ends = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        run(['/bin/sh', '-c', `read line; echo "$line"; echo ${String(index)} >&2; exit ${String(index % 100)}`], {
          stdin: Buffer.from(`document ${String(index)}\n`),
        }),
      ),
    );
    expect(ends.map(({ status, stdout, stderr }) => [status, stdout.toString(), stderr.toString()])).toEqual(
      Array.from({ length: 200 }, (_, index) => [index % 100, `document ${String(index)}\n`, `${String(index)}\n`]),
    );
  });

  it('run at the same time, as many as there are descriptors for, and the others fail with the reason', async () => {
    const program = fresh();
    const native = join(packageRoot, 'dist/spawner');
    writeFileSync(program, `#!/bin/sh\nulimit -n 64\nexec '${native}'\n`, { mode: 0o755 });
    const poor = createSpawner(program);
    const one = { ...usual, stdoutBytes: null, deadlineMs: 8_000, argv: ['/bin/sh', '-c', 'sleep 1; exit 7'] as const };
    const start = performance.now();
    const all = Array.from({ length: 100 }, () =>
      poor.run(one).then(
        ({ status }) => status,
        (error: unknown) => codeOf(error),
      ),
    );
    const ends = await Promise.all(all).finally(() => poor[Symbol.asyncDispose]());
    // 3 polled descriptors for each script would be more than poll(2) takes.
    expect(ends.filter((end) => end === 7).length).toBeGreaterThan(40);
    expect(ends.filter((end) => end !== 7 && end !== 'EMFILE')).toEqual([]);
    expect(performance.now() - start).toBeLessThan(8_000);
  });

  it('have all their output taken when they end, also from a pipe made larger', async (ctx) => {
    const python = ['/usr/bin/python3', '/usr/local/bin/python3'].find((path) => existsSync(path));
    if (python === undefined) {
      ctx.skip('python3 is not installed, which makes a pipe larger');
      return;
    }
    // F_SETPIPE_SZ: with CAP_SYS_RESOURCE as much as it likes, otherwise 1 MiB.
    const text = `import fcntl, os
for size in (1 << 22, 1 << 20):
    try:
        fcntl.fcntl(1, 1031, size)
        break
    except PermissionError:
        pass
os.write(2, str(size).encode())
os.write(1, b"x" * size)`;
    const { stdout, stderr } = await run([python, '-c', text]);
    expect(Number(stderr)).toBeGreaterThanOrEqual(1 << 20);
    expect(stdout).toHaveLength(Number(stderr));
  });

  it('leave no descriptor and no process in the spawner', async () => {
    await sh('exit 0');
    const pid = spawnerOf(process.pid);
    const descriptors = (): number => readdirSync(`/proc/${String(pid)}/fd`).length;
    const before = descriptors();
    const every = [
      () => sh('cat', { stdin: Buffer.alloc(100_000) }),
      () => sh('exit 1', { stdin: Buffer.alloc(100_000), stdoutBytes: null }),
      () => sh('kill -KILL $$'),
      () => sh('yes', { stdoutBytes: 1_000 }),
      () => sh('sleep 60', { deadlineMs: 20 }),
      () => run(['/no/such/program']).catch(() => null),
    ];
    for (let round = 0; round < 3; round++) await Promise.all(every.map((one) => one()));
    expect(descriptors()).toBe(before);
    expect(execFileSync('sh', ['-c', 'ps -o pid= --ppid "$0" || :', String(pid)], { encoding: 'utf8' })).toBe('');
  });
});

describe('the spawner', () => {
  it('takes the scripts with it when it is killed, and the next program starts it again', async () => {
    const file = fresh();
    const ending = sh(`echo $$ > ${file}.new; mv ${file}.new ${file}; exec sleep 60`).catch((error: unknown) => error);
    const [script] = await pidsIn(file);
    process.kill(spawnerOf(process.pid), 'SIGKILL');
    expect(await ending).toMatchObject({
      code: 'runner',
      message: 'the process that starts scripts died (it was terminated by SIGKILL); the next event starts it again',
    });
    await until(() => !alive(script));
    expect(alive(script)).toBe(false);
    expect((await sh('exit 7')).status).toBe(7);
  });

  it('is replaced when it does not answer any more', async () => {
    await sh('exit 0');
    process.kill(spawnerOf(process.pid), 'SIGSTOP');
    await expect(sh('exit 0', { deadlineMs: 100 })).rejects.toMatchObject({ code: 'runner' });
    expect((await sh('exit 7')).status).toBe(7);
  });

  it('outlasts TERM, INT and HUP, which a service manager or a terminal sends to all of a service', async () => {
    const ending = sh('sleep 0.3; exit 5');
    await until(() => spawnerOf(process.pid) > 0);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(spawnerOf(process.pid), signal);
    expect((await ending).status).toBe(5);
  });

  it('ends with everything that runs when the runtime is killed', async () => {
    const file = fresh();
    const runtime = another(`await run('/bin/sh', '-c', ${JSON.stringify(stays(file))});`);
    const pids = [...(await pidsIn(file)), spawnerOf(runtime.pid)];
    expect(pids.map(alive)).toEqual([true, true, true]);
    runtime.kill('SIGKILL');
    await until(() => !pids.some(alive));
    expect(pids.map(alive)).toEqual([false, false, false]);
  });

  it('ends everything that runs when it is disposed of, and can be used again', async () => {
    const file = fresh();
    const ending = sh(stays(file)).catch((error: unknown) => error);
    const pids = await pidsIn(file);
    await spawner[Symbol.asyncDispose]();
    expect(await ending).toMatchObject({ code: 'runner' });
    await until(() => !pids.some(alive));
    expect(pids.map(alive)).toEqual([false, false]);
    expect((await sh('exit 7')).status).toBe(7);
  });

  it('keeps no process alive that has nothing to wait for', async () => {
    const idle = another(`await run('/bin/sh', '-c', 'exit 0'); await spawner.start();`);
    expect(await once(idle, 'exit')).toEqual([0, null]);
  });

  it('that is not built is named when it is started, with what to do', async () => {
    const missing = createSpawner('/nowhere/spawner');
    await expect(missing.start()).rejects.toMatchObject({
      code: 'runner',
      message:
        "Cannot start '/nowhere/spawner': it is not built; scripts need it, so install gcc and libc6-dev and run 'npm run build'",
    });
    await expect(missing.run({ ...usual, argv: ['/bin/true'] })).rejects.toMatchObject({ code: 'runner' });
    await missing[Symbol.asyncDispose]();
  });
});
