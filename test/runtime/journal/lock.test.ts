import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { verifyJournal } from '../../../src/runtime/journal/verify.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { entryOf, namesIn, openTestJournal } from '../../support/journal.js';
import { samplePlugin } from '../../support/runtime.js';
import { temporaryFolder, write, writeScript } from '../../support/temp.js';

const segment = '00000001.jsonl';
const fixture = (name: string): string => join(packageRoot, 'test', 'fixtures', 'journal', name);

/** Root needs no namespace of users for one of processes. */
const inPidNamespace = [
  ...['unshare', ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'])],
  ...['--pid', '--fork', '--kill-child', '--mount-proc'],
] as const;
const namespaces = spawnSync('/usr/bin/env', [...inPidNamespace, 'true']).status === 0;
const inMountNamespace = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;

/** Starts a process that ends with the test, at the latest, and gives the first line that it prints. */
async function start(command: readonly string[]): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn('/usr/bin/env', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  for await (const line of createInterface({ input: child.stdout })) return { child, line };
  throw new Error(`'${command.join(' ')}' printed nothing`);
}

const holder = (dir: string): string[] => [process.execPath, fixture('holder.mjs'), dir];

describe('the lock', () => {
  it('keeps a second writer out, in words', async () => {
    const dir = temporaryFolder();
    await openTestJournal(dir);
    await expect(openTestJournal(dir)).rejects.toMatchObject({
      code: 'already-running',
      message: `Cannot write the journal '${dir}': another runtime (process ${process.pid}) writes it; stop it, use 'hookvisor reload', or set another journal.dir`,
      fields: { dir, pid: process.pid },
    });
  });

  it('keeps a writer in another PID namespace out', async (ctx) => {
    if (!namespaces) ctx.skip('needs unshare of util-linux, and the right to make a PID namespace');
    const dir = temporaryFolder();
    const { journal } = await openTestJournal(dir);
    await journal.append(entryOf({ event: { name: 'one' } }));
    const { line } = await start([...inPidNamespace, ...holder(dir)]);
    expect(line).toBe(
      `already-running: Cannot write the journal '${dir}': another runtime (process ${process.pid} of another PID ` +
        `namespace) writes it; stop it, use 'hookvisor reload', or set another journal.dir`,
    );
    await journal.append(entryOf({ event: { name: 'two' } }));
    expect(await namesIn(dir)).toEqual(['one', 'two']);
  });

  it('of a writer in another PID namespace keeps this one out, until that one is killed', async (ctx) => {
    if (!namespaces) ctx.skip('needs unshare of util-linux, and the right to make a PID namespace');
    const dir = temporaryFolder();
    const { child, line } = await start([...inPidNamespace, ...holder(dir)]);
    expect(line).toBe('open');
    await expect(openTestJournal(dir)).rejects.toMatchObject({
      code: 'already-running',
      message: expect.stringContaining(`another runtime (process ${nodeBelow(child)}) writes it`) as string,
    });
    child.kill('SIGKILL');
    await expect.poll(() => openTestJournal(dir).then(() => 'open'), { timeout: 5_000 }).toBe('open');
  });

  it('of a container on the same folder names its host', async (ctx) => {
    if (process.getuid?.() !== 0 || !namespaces) ctx.skip('needs root, to give a process another host name');
    const dir = temporaryFolder();
    const inContainer = [...inPidNamespace, '--uts', 'sh', '-c', 'hostname box-7 && exec "$@"', 'sh'];
    const { child, line } = await start([...inContainer, ...holder(dir)]);
    expect(line).toBe('open');
    expect(hostname()).not.toBe('box-7');
    await expect(openTestJournal(dir)).rejects.toMatchObject({
      message: expect.stringContaining(
        `(process ${nodeBelow(child)}, of host or container 'box-7') writes it`,
      ) as string,
    });
  });

  it('is free as soon as a runtime is killed, while everything that it started lives on', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'guard', 'exit 0');
    const config = await write(
      dir,
      'hookvisor.yaml',
      `version: 1\nsocket: hv.sock\njournal: { dir: journal }\nsandbox: { require: process }\n` +
        `cache: ${join(packageRoot, 'node_modules', '.cache', 'hookvisor-test')}\nhandlers:\n` +
        `  guard: { backend: script, source: ${script}, failurePolicy: fail }\n` +
        `  naming: { backend: component, source: ${samplePlugin('naming')}, failurePolicy: fail }\n` +
        `routes: [{ match: {}, handlers: [guard, naming] }]\n`,
    );
    const serve = spawn(
      process.execPath,
      [join(packageRoot, 'dist', 'commands', 'main.js'), 'serve', '--config', config],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const exited = once(serve, 'exit');
    for await (const line of createInterface({ input: serve.stderr })) if (line.includes('listening on')) break;
    await expect(openTestJournal(join(dir, 'journal'))).rejects.toMatchObject({ code: 'already-running' });
    const started = descendantsOf(serve.pid ?? 0);
    onTestFinished(() => {
      for (const { pid } of started) signal(pid, 'SIGKILL');
    });
    expect(started.map(({ name }) => name).sort()).toEqual(expect.arrayContaining(['gate', 'node', 'spawner']));
    expect(openIn(serve.pid ?? 0)).toContain(join(dir, 'journal', 'lock'));
    for (const { pid } of started) expect(openIn(pid)).not.toContain(join(dir, 'journal', 'lock'));
    // Neither of these can end by itself when it finds the runtime gone.
    const lasting = started.filter(({ name }) => name === 'gate' || name === 'spawner');
    for (const { pid } of lasting) signal(pid, 'SIGSTOP');
    serve.kill('SIGKILL');
    await exited;
    const { journal } = await openTestJournal(join(dir, 'journal'));
    await journal.append(entryOf());
    expect(lasting.map(({ pid }) => stateOf(pid))).toEqual(['T', 'T']);
  });

  it('that was removed while it is held lets nothing be lost unseen', async () => {
    const dir = temporaryFolder();
    const one = await openTestJournal(dir);
    await one.journal.append(entryOf({ event: { name: 'start' } }));
    rmSync(join(dir, 'lock'));
    const second = await openTestJournal(dir);
    for (const name of ['a', 'b']) {
      // Records of the same length, at the same place of the chain.
      await one.journal.append(entryOf({ event: { id: `1-${name}`, name: `1-${name}` } }));
      await second.journal.append(entryOf({ event: { id: `2-${name}`, name: `2-${name}` } }));
    }
    expect(await namesIn(dir)).toEqual(['start', '1-a', '2-a', '1-b', '2-b']);
    expect(await verifyJournal(dir)).toMatchObject({
      bad: { line: 4, problem: 'its hash does not match: it was altered, or a record before it is missing' },
    });
    await expect
      .poll(() => one.said.join('\n'), { timeout: 5_000 })
      .toBe(
        `error: Cannot lock the journal '${dir}' any longer: its file 'lock' was removed or replaced, so another ` +
          `runtime may write it as well; restart the runtime`,
      );
    expect(second.said).toEqual([]);
  });

  it('that was removed while it is held lets no segment be begun or deleted', async () => {
    const dir = temporaryFolder();
    const { journal } = await openTestJournal(dir, { segmentBytes: 64 * 1024, maxBytes: 1 });
    rmSync(join(dir, 'lock'));
    const document = `<domain>${'x'.repeat(40_000)}</domain>`;
    for (let at = 0; at < 4; at++) await journal.append(entryOf({ document: document.replace('x', String(at)) }));
    await sleep(50);
    expect(readdirSync(dir).sort()).toEqual([segment, 'key']);
    expect(await verifyJournal(dir)).toMatchObject({ bad: null, events: 4 });
  });

  it.each(['999999999 1/1', `${process.pid} another-boot/1`, '', '{"pid":1}'])(
    'is of the kernel: a file that says %j keeps nobody out, and stays',
    async (content) => {
      const dir = temporaryFolder();
      writeFileSync(join(dir, 'lock'), content);
      const { journal } = await openTestJournal(dir);
      expect(JSON.parse(readFileSync(join(dir, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
      await journal[Symbol.asyncDispose]();
      expect(readdirSync(dir).sort()).toEqual([segment, 'key', 'lock']);
      expect(readFileSync(join(dir, 'lock'), 'utf8')).toBe('');
    },
  );

  it('that cannot be taken is an error: a journal is not written without', (ctx) => {
    if (!inMountNamespace) ctx.skip('needs root, to hide a program from a process');
    const dir = temporaryFolder();
    const hidden = 'for f in /usr/bin/flock /bin/flock; do [ ! -e $f ] || mount --bind /dev/null $f; done; exec "$@"';
    const run = spawnSync('unshare', ['--mount', 'sh', '-c', hidden, 'sh', ...holder(dir)], { encoding: 'utf8' });
    expect(run.stdout).toBe(
      `journal: Cannot lock '${dir}/lock': flock(1) is not installed; install util-linux, which the journal requires\n`,
    );
    expect(readdirSync(dir)).toEqual(['lock']);
  });
});

interface Started {
  readonly pid: number;
  readonly name: string;
}

function descendantsOf(pid: number): Started[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return children.flatMap((child) => {
    const name = readFileSync(`/proc/${child}/comm`, 'utf8').trim();
    return [{ pid: Number(child), name }, ...descendantsOf(Number(child))];
  });
}

/** The number, in this PID namespace, of the one Node process below another. */
function nodeBelow({ pid = 0 }: ChildProcess): number | undefined {
  return descendantsOf(pid).find(({ name }) => name === 'node' || name === 'MainThread')?.pid;
}

/** What a process has open; nothing when it is gone. */
function openIn(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((name) => readlinkSync(join(folder, name)));
  } catch {
    return [];
  }
}

/** As in proc(5): `T` is stopped, `Z` is dead. */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.charAt(stat.lastIndexOf(')') + 2);
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
