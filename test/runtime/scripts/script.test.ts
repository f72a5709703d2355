import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createScriptBackend } from '../../../src/runtime/scripts/script.js';
import type { HookEvent } from '../../../src/contract/event.js';
import { defaultLimits } from '../../../src/contract/limits.js';
import { HandlerFailure, type Evaluation } from '../../../src/contract/outcome.js';
import { configOf, eventOf, type HandlerFields } from '../../support/handlers.js';

const scripts = createScriptBackend();

let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hookvisor-script-test-'));
});
afterAll(async () => {
  await scripts[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const filter = { event: 'migrate' };

async function script(text: string, mode = 0o755): Promise<string> {
  const path = join(folder, `script-${String(count++)}`);
  await writeFile(path, text.startsWith('#!') ? text : `#!/bin/sh\n${text}\n`);
  await chmod(path, mode);
  return path;
}

interface Run {
  readonly event?: Partial<HookEvent>;
  readonly document?: Buffer | null;
  readonly config?: HandlerFields;
  readonly deadlineMs?: number;
}

async function run(
  text: string,
  { event, document = null, config, deadlineMs = 5_000 }: Run = {},
): Promise<Evaluation> {
  const limits = { ...defaultLimits, deadlineMs };
  const handler = await scripts.load(configOf({ source: await script(text), limits, ...config }));
  return handler.evaluate({ event: eventOf(event), document });
}

async function failureOf(evaluation: Promise<Evaluation>): Promise<HandlerFailure> {
  const thrown: unknown = await evaluation.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(thrown instanceof HandlerFailure)) throw new Error(`expected a HandlerFailure, got ${String(thrown)}`);
  return thrown;
}

function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd');
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && !condition(); tries++) await sleep(20);
}

function alive(pid: number): boolean {
  try {
    // A zombie that nobody has reaped yet is dead.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('what a script is given', () => {
  const names: readonly (readonly [string, string])[] = [
    ...['-rf', '../x', 'a b;rm', 'line\nbreak', '$(id)`id`', 'quo\'te"', ''].map(
      (name) => [JSON.stringify(name), name] as const,
    ),
    ['of 4 KB', 'x'.repeat(4_096)],
    ['of 4 KB that is not ASCII', 'ü'.repeat(2_048)],
  ];

  it.each(names)('passes the name %s byte for byte in the style of libvirt', async (_, name) => {
    const out = join(folder, `args-${String(count)}`);
    await run(`printf '%s\\0' "$@" > '${out}'`, { event: { name, extra: 'from snapshot' } });
    expect(readFileSync(out, 'utf8')).toBe([name, 'prepare', 'begin', 'from snapshot', ''].join('\0'));
  });

  it.each(names)('passes the name %s byte for byte in the style of the RFC', async (_, name) => {
    const out = join(folder, `args-${String(count)}`);
    await run(`printf '%s\\0' "$@" > '${out}'`, { event: { name }, config: { arguments: 'rfc' } });
    expect(readFileSync(out, 'utf8')).toBe(['domain', name, 'prepare', 'begin', ''].join('\0'));
  });

  it.each([1, 10, 65_536, 65_537, 5 * 1024 * 1024])('hands over a document of %i bytes unchanged', async (size) => {
    const document = Buffer.from(
      Uint8Array.from({ length: size }, (_, index) => 33 + ((index * 31 + (index >> 8)) % 223)),
    );
    const { outcome } = await run('cat', { event: filter, document });
    expect(outcome.outcome).toBe('replace');
    expect(outcome.outcome === 'replace' && outcome.document.equals(document)).toBe(true);
  });

  it('has an empty stdin that ends at once when there is no document', async () => {
    expect((await run('test "$(wc -c)" = 0 && test "$(readlink /proc/self/fd/0)" = /dev/null')).outcome).toEqual({
      outcome: 'allow',
    });
  });

  it('can open /dev/stdin, /dev/stdout and /dev/stderr by name, as in a hook of libvirt', async () => {
    const { outcome, logs } = await run('cat /dev/stdin > /dev/stdout; echo seen > /dev/stderr', {
      event: filter,
      document: Buffer.from('<domain/>'),
    });
    expect(outcome).toEqual({ outcome: 'replace', document: Buffer.from('<domain/>') });
    expect(logs).toEqual([{ level: 'info', message: 'seen' }]);
  });

  it('runs in / with the environment of a libvirt hook and the id of the event', async () => {
    const { logs } = await run(
      'pwd >&2; env | cut -d= -f1 | grep -v "^LD_" | sort | tr "\\n" " " >&2; echo >&2; echo "$LC_ALL $HOOKVISOR_EVENT_ID" >&2',
    );
    const allowed = [
      'HOME',
      'HOOKVISOR_EVENT_ID',
      'LC_ALL',
      'LOGNAME',
      'PATH',
      'PWD',
      'SHLVL',
      'TMPDIR',
      'USER',
      '_',
      'OLDPWD',
    ];
    expect(logs[0]?.message).toBe('/');
    expect(logs[1]?.message.split(' ').filter((name) => !allowed.includes(name))).toEqual([]);
    expect(logs[2]?.message).toBe('C 6f1c2a34-0000-4000-8000-000000000001');
  });

  it('leads a process group of its own', async () => {
    const { logs } = await run('echo $$ $(ps -o pgid= -p $$) >&2');
    const [pid, group] = logs[0]?.message.split(' ') ?? [];
    expect(group).toBe(pid);
  });
});

describe('what a script answers', () => {
  it('allows with exit status 0, and logs its stderr', async () => {
    expect(await run('echo "one thing" >&2; echo; echo two >&2')).toEqual({
      outcome: { outcome: 'allow' },
      fuel: null,
      logs: [
        { level: 'info', message: 'one thing' },
        { level: 'info', message: 'two' },
      ],
    });
  });

  it('denies with any other status and takes stderr as the reason, cleaned', async () => {
    const { outcome } = await run("printf 'no\\nsuch \\033[31mdisk\\n' >&2; exit 3");
    expect(outcome).toEqual({ outcome: 'deny', reason: 'no such \\x1b[31mdisk' });
  });

  it('names the status when a denial says nothing', async () => {
    expect((await run('exit 3')).outcome).toEqual({ outcome: 'deny', reason: 'exit status 3' });
  });

  it('does not take stdout where libvirt takes no document', async () => {
    expect((await run('echo "<other/>"', { document: Buffer.from('<domain/>') })).outcome).toEqual({
      outcome: 'allow',
    });
  });

  it('leaves the document alone when stdout is blank', async () => {
    const { outcome } = await run("printf ' \\n\\t\\r\\n'", { event: filter, document: Buffer.from('<domain/>') });
    expect(outcome).toEqual({ outcome: 'allow' });
  });

  it('may ignore a document larger than a pipe holds', async () => {
    const { outcome } = await run('exec <&-; exit 0', { document: Buffer.alloc(5 * 1024 * 1024, 'x') });
    expect(outcome).toEqual({ outcome: 'allow' });
  });

  it('keeps at most 100 lines of what it logs and says how many were dropped', async () => {
    const { logs } = await run('seq 1 250 >&2');
    expect(logs).toHaveLength(100);
    expect(logs.at(-1)).toEqual({ level: 'warn', message: '151 more lines were dropped' });
  });

  it('may write more to stderr than is kept', async () => {
    const { outcome } = await run("head -c 3000000 /dev/zero | tr '\\0' e >&2; exit 1");
    expect(outcome.outcome === 'deny' && outcome.reason.length).toBe(1_024);
  });
});

describe('a script that cannot decide', () => {
  it('fails with unavailable when it is gone, not executable, or has no interpreter', async () => {
    const handler = await scripts.load(configOf({ source: await script('exit 0') }));
    const source = join(folder, `script-${String(count - 1)}`);
    const ask = (): Promise<Evaluation> => handler.evaluate({ event: eventOf(), document: null });
    await chmod(source, 0o644);
    const unexecutable = await failureOf(ask());
    await writeFile(source, '#!/no/such/interpreter\n', { mode: 0o755 });
    await chmod(source, 0o755);
    const uninterpreted = await failureOf(ask());
    await rm(source);
    const gone = await failureOf(ask());
    expect([unexecutable.failure, uninterpreted.failure, gone.failure]).toEqual(Array(3).fill('unavailable'));
    expect(unexecutable.message).toBe(
      `Cannot run the script '${source}': it is not executable by this process; run chmod +x on it, or correct its owner and the mount options`,
    );
    expect(uninterpreted.message).toBe(
      `Cannot run the script '${source}': it, or the interpreter in its '#!' line, does not exist; install what is missing or correct the path`,
    );
    expect(gone.message).toBe(
      `Cannot run the script '${source}': there is no such file; create it or correct the path`,
    );
  });

  it.each([
    ['empty', ''],
    ['without a #! line', 'exit 0\n'],
  ])('is never handed to a shell when it is %s', async (_, text) => {
    const source = await script('exit 0');
    const handler = await scripts.load(configOf({ source }));
    await writeFile(source, text);
    const failure = await failureOf(handler.evaluate({ event: eventOf(), document: null }));
    expect(failure.failure).toBe('unavailable');
    expect(failure.message).toContain("neither a program nor a script with a '#!' line");
  });

  it('fails with unavailable when the arguments are too long or hold a NUL', async () => {
    const long = await failureOf(run('exit 0', { event: { name: 'x'.repeat(300_000) } }));
    expect(long.message).toContain('the arguments of the event are longer than the system allows');
    const nul = await failureOf(run('exit 0', { event: { name: 'a\0b' } }));
    expect([long.failure, nul.failure]).toEqual(['unavailable', 'unavailable']);
  });

  it('fails with crashed when a signal ends it', async () => {
    const failure = await failureOf(run('echo last words >&2; kill -SEGV $$'));
    expect(failure.failure).toBe('crashed');
    expect(failure.message).toMatch(/: it was terminated by SIGSEGV; run it by hand to see why$/);
    expect(failure.logs).toEqual([{ level: 'info', message: 'last words' }]);
  });

  it('fails with deadline and dies, whatever it says on the way out', async () => {
    const failure = await failureOf(run("trap 'exit 0' TERM; sleep 60 & wait", { deadlineMs: 100 }));
    expect(failure.failure).toBe('deadline');
    expect(failure.message).toContain('it did not finish within 100 ms and was killed; raise its deadline');
  });

  it('is killed with everything it started when it ignores TERM', async () => {
    const pids = join(folder, 'pids');
    const began = performance.now();
    const failure = await failureOf(
      run(`trap '' TERM; sleep 60 & echo $$ $! > '${pids}'; while :; do sleep 60; done`, { deadlineMs: 200 }),
    );
    expect(failure.failure).toBe('deadline');
    expect(performance.now() - began).toBeLessThan(1_500);
    const [leader, child] = readFileSync(pids, 'utf8').split(' ').map(Number);
    expect(leader).toBeGreaterThan(0);
    await until(() => !alive(leader ?? 0) && !alive(child ?? 0));
    expect([alive(leader ?? 0), alive(child ?? 0)]).toEqual([false, false]);
  });

  it('takes along children that ignore TERM when only the script heeds it', async () => {
    const pids = join(folder, 'heeding-pids');
    const text = `(trap '' TERM; echo ready > '${pids}.ready'; while :; do sleep 60; done) & echo $! > '${pids}'; wait`;
    await failureOf(run(text, { deadlineMs: 300 }));
    const child = Number(readFileSync(pids, 'utf8'));
    expect(existsSync(`${pids}.ready`)).toBe(true);
    await until(() => !alive(child));
    expect(alive(child)).toBe(false);
  });

  it('is killed with protocol when it floods stdout', async () => {
    const failure = await failureOf(run('cat /dev/zero', { event: filter, deadlineMs: 20_000 }));
    expect(failure.failure).toBe('protocol');
    expect(failure.message).toContain('it wrote more than 16777216 bytes to stdout and was killed');
  });

  it('fails with deadline when it floods stderr for ever', async () => {
    const failure = await failureOf(run("tr '\\0' e </dev/zero >&2", { deadlineMs: 200 }));
    expect(failure.failure).toBe('deadline');
  });
});

describe('a background child', () => {
  it('that holds stdout and stderr open delays nothing and loses nothing', async () => {
    const document = Buffer.alloc(1024 * 1024, 'd');
    const began = performance.now();
    const { outcome, logs } = await run('sleep 3 & cat; echo done >&2', { event: filter, document });
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(outcome.outcome === 'replace' && outcome.document.equals(document)).toBe(true);
    expect(logs).toEqual([{ level: 'info', message: 'done' }]);
  });

  it('that writes for ever delays nothing', async () => {
    const began = performance.now();
    const { outcome } = await run("(timeout 2 tr '\\0' e </dev/zero >&2) & exit 0");
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(outcome).toEqual({ outcome: 'allow' });
  });

  it('lives on after the script has exited', async () => {
    const mark = join(folder, 'lived');
    await run(`(sleep 0.2; echo yes > '${mark}') >/dev/null 2>&1 &`);
    await until(() => existsSync(mark));
    expect(existsSync(mark)).toBe(true);
  });
});

describe('loading and disposing', () => {
  it.each([
    [
      'a missing file',
      () => Promise.resolve('/no/such/script'),
      'there is no such file; create it or correct the path',
    ],
    ['a folder', () => Promise.resolve('/tmp'), 'it is not a regular file; name an executable file'],
    [
      'a file that is not executable',
      () => script('exit 0', 0o644),
      'it is not executable by this process; run chmod +x on it, or correct its owner and the mount options',
    ],
  ])('refuses %s', async (_, make, what) => {
    const source = await make();
    await expect(scripts.load(configOf({ source }))).rejects.toMatchObject({
      code: 'plugin-unreadable',
      message: `Cannot load the script '${source}': ${what}`,
    });
  });

  it('runs what stands at the path at the time of the event', async () => {
    const source = await script('exit 1');
    const handler = await scripts.load(configOf({ source }));
    expect((await handler.evaluate({ event: eventOf(), document: null })).outcome.outcome).toBe('deny');
    await writeFile(source, '#!/bin/sh\nexit 0\n');
    expect((await handler.evaluate({ event: eventOf(), document: null })).outcome.outcome).toBe('allow');
  });

  it('waits for what is running', async () => {
    const handler = await scripts.load(configOf({ source: await script('sleep 0.3; exit 1') }));
    let answered = false;
    const evaluation = handler.evaluate({ event: eventOf(), document: null }).then(() => {
      answered = true;
    });
    await handler[Symbol.asyncDispose]();
    await evaluation;
    expect(answered).toBe(true);
  });

  it('leaves no descriptor open after 200 runs of every kind', async () => {
    const handler = await scripts.load(configOf({ source: await script('cat >/dev/null; exit $1') }));
    const ask = (name: string, document: Buffer | null): Promise<unknown> =>
      handler.evaluate({ event: eventOf({ ...filter, name }), document }).catch(() => null);
    const settle = async (): Promise<string[]> => {
      await sleep(20);
      return openDescriptors();
    };
    await ask('0', null);
    const before = await settle();
    for (let round = 0; round < 50; round++) {
      await ask('0', Buffer.from('<domain/>'));
      await ask('1', null);
      await Promise.all([ask('a\0', null), ask('0', Buffer.alloc(200_000))]);
    }
    expect((await settle()).length).toBeLessThanOrEqual(before.length);
  });

  it('answers many events at once', async () => {
    const handler = await scripts.load(configOf({ source: await script('cat; exit 0') }));
    const documents = Array.from({ length: 60 }, (_, index) => Buffer.from(`<domain n='${String(index)}'/>`));
    const evaluations = await Promise.all(
      documents.map((document) => handler.evaluate({ event: eventOf(filter), document })),
    );
    expect(evaluations.map(({ outcome }) => (outcome.outcome === 'replace' ? outcome.document : null))).toEqual(
      documents,
    );
  });
});
