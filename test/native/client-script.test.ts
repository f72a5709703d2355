import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { clients, createBench } from './run-hook.js';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits for a file that a script writes. */
async function contentOf(path: string): Promise<string> {
  for (let tries = 0; tries < 300 && !(existsSync(path) && readFileSync(path, 'utf8') !== ''); tries++) await sleep(10);
  return readFileSync(path, 'utf8');
}

describe.each(clients)('$label, with a script for an unreachable runtime', ({ file }) => {
  const bench = createBench(file);
  let scripts = 0;

  function policy(body: string, more = ''): string {
    return `script ${bench.write(`script ${scripts++}`, `#!/bin/sh\n${body}\n`, 0o755)}\n${more}`;
  }

  afterAll(() => {
    bench.remove();
  });

  it('gives it the hook’s own arguments, as they are', async () => {
    const args = ['-rf; $(id)\n', 'start', 'begin', ''];
    const result = await bench.run({ args, unreachable: policy(`printf '[%s]' "$#" "$@"`) });
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout.toString()).toBe('[4][-rf; $(id)\n][start][begin][]');
  });

  it.each([0, 1, 3_000_000])('gives it the document of %i bytes on stdin', async (size) => {
    const document = randomBytes(size);
    const result = await bench.run({ stdin: document, unreachable: policy('exec cat') });
    expect(result.status).toBe(0);
    expect(result.stdout.equals(document)).toBe(true);
  });

  it('does not mind a script that leaves its document unread', async () => {
    const stdin = Buffer.alloc(1_000_000, 32);
    expect(await bench.run({ stdin, unreachable: policy('exit 3') })).toMatchObject({ status: 3, stderr: '' });
  });

  it('passes stderr and status on', async () => {
    const result = await bench.run({ unreachable: policy('echo reason >&2; exit 42') });
    expect(result).toMatchObject({ status: 42, stderr: 'reason\n' });
  });

  it('runs it for its side effects only where a denial would not abort', async () => {
    const args = ['vm', 'stopped', 'end', '-'];
    const result = await bench.run({ args, unreachable: policy('echo ran; exit 42') });
    expect(result.status).toBe(0);
    expect(result.stdout.toString()).toBe('ran\n');
  });

  it('denies when it is ended by a signal', async () => {
    const result = await bench.run({ unreachable: policy('kill -SEGV $$') });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^hookvisor: '.*' was terminated by signal 11\n$/);
  });

  it('denies when it cannot be run', async () => {
    const result = await bench.run({ unreachable: 'script /nowhere/at/all' });
    expect(result.status).toBe(1);
    expect(result.stderr).toBe(
      `hookvisor: cannot run '/nowhere/at/all', which the policy for an unreachable runtime names: ` +
        `No such file or directory; correct the file\n`,
    );
  });

  it('denies when it is not executable', async () => {
    const path = bench.write('plain', '#!/bin/sh\n');
    const result = await bench.run({ unreachable: `script ${path}` });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('Permission denied; correct the file');
  });

  it('ends it and its children at the deadline, and denies', async () => {
    const pids = join(bench.folder, 'pids-term');
    const result = await bench.run({
      unreachable: policy(`sleep 60 & echo $$ $! > '${pids}'; wait`, 'deadline 0.3'),
    });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^hookvisor: '.*' did not finish in time and was killed\n$/);
    expect(result.ms).toBeLessThan(2_000);
    await sleep(50);
    expect(readFileSync(pids, 'utf8').trim().split(' ').map(Number).map(isAlive)).toEqual([false, false]);
  });

  it('kills it half a second later when it ignores the request to end', async () => {
    const result = await bench.run({
      unreachable: policy(`trap '' TERM; while :; do sleep 0.05; done`, 'deadline 0.3'),
    });
    expect(result.status).toBe(1);
    expect(result.ms).toBeGreaterThan(790);
    expect(result.ms).toBeLessThan(3_000);
  });

  it('lets it finish its clean-up on the request to end', async () => {
    const result = await bench.run({
      unreachable: policy(`trap 'echo cleaned; exit 0' TERM; while :; do sleep 0.05; done`, 'deadline 0.3'),
    });
    expect(result.status).toBe(1); // too late to be an answer
    expect(result.stdout.toString()).toBe('cleaned\n');
  });

  it('ends it when the client itself is asked to end', async () => {
    const pid = join(bench.folder, 'pid-signal');
    const run = bench.run({
      unreachable: policy(`echo $$ > '${pid}'; exec sleep 60`),
      signal: { name: 'SIGTERM', afterMs: 700 },
    });
    const script = Number(await contentOf(pid));
    expect(isAlive(script)).toBe(true);
    expect(await run).toMatchObject({ status: 1, signal: null });
    expect(isAlive(script)).toBe(false);
  });

  it('runs it in a process group of its own', async () => {
    const result = await bench.run({ unreachable: policy(`echo $$; sed 's/.*) //' /proc/$$/stat | cut -d' ' -f3`) });
    const [pid, group] = result.stdout.toString().split('\n');
    expect(group).toBe(pid);
  });
});
