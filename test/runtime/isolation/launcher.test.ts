import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { isolationLevels } from '../../../src/contract/isolation-level.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { claims, protections } from '../../../src/runtime/isolation/isolation.js';
import { createLauncher } from '../../../src/runtime/isolation/launcher.js';
import { createSandbox } from '../../../src/runtime/sandbox.js';
import { found } from './mechanisms.js';
import { errorOf, handlerConfig, hookCall, isAlive, temporaryFolder } from '../../support/sandbox.js';

const patience = { timeout: 30_000, interval: 20 };

describe.each(found)('isolation by $name', { timeout: 90_000 }, ({ name, chosen, why }) => {
  it('admits and runs a plugin', async (ctx) => {
    if (chosen === null) {
      ctx.skip(`not on this machine, ${why}`);
      return;
    }
    await using folder = await temporaryFolder();
    await using sandbox = createSandbox({
      cache: join(folder.path, 'cache'),
      log: () => undefined,
      settings: { require: chosen.isolation.level, isolation: name },
    });
    const handler = await sandbox.backend('component').load(handlerConfig());
    expect((await handler.evaluate(hookCall())).outcome).toEqual({ outcome: 'allow' });
    expect(sandbox.status().isolation).toMatchObject({ mechanism: name, level: chosen.isolation.level });
  });

  it('leaves nothing when the runtime is killed, not even what cannot run', async (ctx) => {
    if (chosen?.isolation.protections.includes('dies-with-runtime') !== true) {
      ctx.skip(`not claimed on this machine, ${why ?? 'setpriv is not installed'}`);
      return;
    }
    const script = join(packageRoot, 'test', 'fixtures', 'sandbox', 'owner.mjs');
    const module = join(packageRoot, 'dist', 'runtime', 'isolation', 'launcher.js');
    const owner = spawn(process.execPath, [script, module, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [printed] = (await once(owner.stdout, 'data')) as [Buffer];
    const leader = Number(printed.toString());
    // Until Node itself runs, its ancestors have not yet arranged how they end.
    await vi.waitUntil(
      () => family(leader).some((pid) => commandOf(pid).includes('runner/main.js') && isNode(pid)),
      patience,
    );
    const all = family(leader);
    // A stopped process cannot end by itself when its stdin closes.
    for (const pid of all) process.kill(pid, 'SIGSTOP');
    owner.kill('SIGKILL');
    await vi.waitUntil(() => !all.some(isAlive), patience);
    expect(all.length).toBeGreaterThan(0);
  });

  it('says what of its level is not in force', (ctx) => {
    if (chosen === null) {
      ctx.skip(`not on this machine, ${why}`);
      return;
    }
    const { level, protections: inForce, missing } = chosen.isolation;
    expect([...inForce, ...missing].sort()).toEqual([...claims[level]].sort());
    const filtered = chosen.mechanism.filter !== null;
    expect(missing.includes('fewer-system-calls')).toBe(level === 'namespaces' && !filtered);
    expect(filtered).toBe(name === 'bubblewrap' && ['x64', 'arm64'].includes(process.arch));
  });

  it('says which better ones are not used, and why', (ctx) => {
    if (chosen === null) {
      ctx.skip(`not on this machine, ${why}`);
      return;
    }
    const better = found.slice(
      0,
      found.findIndex((other) => other.name === name),
    );
    expect(chosen.isolation.unavailable).toEqual(
      better.map((other) => ({ mechanism: other.name, reason: `the configuration sets isolation: ${name}` })),
    );
  });
});

describe('a required level', () => {
  it.each(['process', ...(process.getuid?.() === 0 ? (['user'] as const) : [])] as const)(
    "is refused when only '%s' is there",
    async (isolation) => {
      const create = (): Promise<unknown> =>
        Promise.resolve().then(() => createLauncher({ require: 'namespaces', isolation }));
      const error = await errorOf(create());
      expect(error.code).toBe('isolation');
      expect(error.message).toContain(
        `Cannot isolate plug-ins at the level 'namespaces': this host only offers '${isolation}'; ` +
          'install bubblewrap (apt install bubblewrap)',
      );
      expect(error.message).toContain(`\n  bubblewrap: the configuration sets isolation: ${isolation}`);
    },
  );

  it('is met by the best mechanism that works', () => {
    const best = found.find(({ chosen }) => chosen !== null);
    expect(createLauncher({ require: 'process', isolation: 'auto' }).isolation.mechanism).toBe(best?.name);
  });
});

describe('the claims', () => {
  it('of a level hold those of the levels below it', () => {
    for (const [at, level] of isolationLevels.entries()) {
      for (const lower of isolationLevels.slice(at)) {
        expect(claims[level]).toEqual(expect.arrayContaining([...claims[lower]]));
      }
    }
  });

  it('are those of the table in docs/sandbox.md', async () => {
    const text = await readFile(join(packageRoot, 'docs', 'sandbox.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `([a-z-]+)` +\| (.+?) +\| (yes|no) +\| (yes|no) +\| (yes|no) +\|$/gmu)];
    const expected = Object.entries(protections).map(([name, words]) => [
      name,
      words,
      ...isolationLevels.map((level) => (claims[level].some((claim) => claim === name) ? 'yes' : 'no')),
    ]);
    expect(rows.map((row) => row.slice(1))).toEqual(expected);
  });
});

/** A process and everything that descends from it. */
function family(leader: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/u.test(entry))) {
    const parent = /\) . (\d+)/u.exec(read(`/proc/${name}/stat`))?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const members = [leader];
  for (const member of members) {
    for (const [pid, parent] of parents) if (parent === member) members.push(pid);
  }
  return members;
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`);
}

/** By its main thread's name: a wrapper's command line names Node too. */
function isNode(pid: number): boolean {
  return /^node/u.test(read(`/proc/${pid}/comm`));
}

/** Empty for a process that is gone meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
