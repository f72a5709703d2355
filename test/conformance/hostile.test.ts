import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf } from '../support/handlers.js';
import { assemble } from '../support/hostile.js';
import { snapshot } from '../support/leftovers.js';
import type { Snapshot } from '../support/leftovers.js';
import { writeScript } from '../support/temp.js';
import { hostileAnswers } from './answers.js';
import { lonelyGuests } from './alone.js';
import { openArena, wakingCall } from './arena.js';
import type { Arena } from './arena.js';
import { hostileGuests } from './guests.js';
import { hostileLanguages } from './languages.js';
import { hostilePlugins } from './refusals.js';
import { hostileScripts } from './scripts.js';

/** What is so before the first guest. */
interface Before {
  readonly residentBytes: number;
  /** How many processes belong to the runtime, itself among them. */
  readonly processes: readonly string[];
}

let beforeStart: Snapshot;
let arena: Arena;
let before: Before;

beforeAll(async () => {
  beforeStart = await snapshot({ folders: [] });
  arena = await openArena();
  await warmUp();
  before = { residentBytes: await arena.residentBytes(), processes: await family(arena.runtime.pid) };
}, 60_000);

const current = (): Arena => arena;

hostileScripts(current);
hostilePlugins(current);
hostileGuests(current);
lonelyGuests(current);
hostileLanguages(current);
hostileAnswers(current);

describe('after the whole hostile suite', () => {
  it('the memory of the runtime that went through all of it is back within 20 MB', async () => {
    await arena.neighbourAnswers();
    await expect
      .poll(async () => (await arena.residentBytes()) - before.residentBytes, { timeout: 10_000 })
      .toBeLessThan(20_000_000);
  }, 30_000);

  it('it has as many processes as before: itself and one runner', async () => {
    await expect.poll(() => family(arena.runtime.pid), { timeout: 10_000 }).toEqual(before.processes);
  }, 30_000);

  it('its cache has the admitted plugins, its journal the events, and no other file is left', async () => {
    const files = await readdir(join(arena.folder, 'cache'));
    const entries = files.filter((file) => file !== 'key');
    expect(entries.filter((file) => !file.endsWith('.artefact'))).toEqual([]);
    expect(entries).toHaveLength(arena.admitted.size);
    expect(await readdir(join(arena.folder, 'tmp'))).toEqual([]);
  });

  it('when it has ended, no process is left', async () => {
    await arena.runtime[Symbol.asyncDispose]();
    const { processes } = await beforeStart.compare({ rssBytes: Number.MAX_SAFE_INTEGER });
    expect(processes).toEqual([]);
  }, 30_000);
});

afterAll(() => arena[Symbol.asyncDispose]());

/** The first event of each backend loads code that stays, and that of a script the process that starts them. */
async function warmUp(): Promise<void> {
  const source = await writeScript(join(arena.folder, 'scripts'), 'warm-up', 'exit 0');
  const loads = [
    arena.loadConfigured(configOf({ source })),
    arena.load('extism', await assemble('extism', '')),
    arena.load('component', await assemble('component', '')),
  ];
  for (const handler of await Promise.all(loads)) {
    for (let events = 0; events < 10; events += 1) await handler.evaluate(wakingCall('000'));
    await handler[Symbol.asyncDispose]();
  }
}

/** The commands of a process and of all that come from it, in order. */
async function family(pid: number): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name));
  const stats = await Promise.all(pids.map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')));
  const all = stats.flatMap((stat) => {
    const [, id, command = '', state, parent] = /^(\d+) \((.*)\) (\S) (\d+)/su.exec(stat) ?? [];
    return id === undefined || state === 'Z' ? [] : [{ pid: Number(id), command, parent: Number(parent) }];
  });
  const below = (root: number): string[] =>
    all.filter(({ parent }) => parent === root).flatMap((child) => [child.command, ...below(child.pid)]);
  return below(pid).sort();
}
