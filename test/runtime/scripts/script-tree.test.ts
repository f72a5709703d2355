import { readFileSync } from 'node:fs';
import { chmod, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createScriptBackend } from '../../../src/runtime/scripts/script.js';
import type { HookEvent } from '../../../src/contract/event.js';
import { defaultLimits } from '../../../src/contract/limits.js';
import type { Evaluation } from '../../../src/contract/outcome.js';
import { configOf, eventOf, type HandlerFields } from '../../support/handlers.js';
import { temporaryFolder, write, writeScript } from '../../support/temp.js';

const scripts = createScriptBackend();

afterAll(() => scripts[Symbol.asyncDispose]());

async function decide(
  source: string,
  event: Partial<HookEvent> = {},
  config: HandlerFields & { document?: Buffer } = {},
): Promise<Evaluation> {
  const { document = null, ...rest } = config;
  const handler = await scripts.load(configOf({ layout: 'tree', source, ...rest }));
  return handler.evaluate({ event: eventOf(event), document });
}

describe('a tree of scripts', () => {
  it('runs GUEST/OPERATION/SUBOPERATION/* in byte order, with the arguments of a hook', async () => {
    const dir = temporaryFolder();
    for (const name of ['b', 'a', 'B', '10', '9']) {
      await writeScript(dir, `tree/tiny/prepare/begin/${name}`, `echo "\${0##*/} $*" >> ${dir}/ran`);
    }
    await writeScript(dir, 'tree/tiny/start/begin/x', `echo wrong >> ${dir}/ran`);
    await writeScript(dir, 'tree/other/prepare/begin/x', `echo wrong >> ${dir}/ran`);
    expect((await decide(join(dir, 'tree'))).outcome).toEqual({ outcome: 'allow' });
    const lines = readFileSync(join(dir, 'ran'), 'utf8').trim().split('\n');
    expect(lines).toEqual(['10', '9', 'B', 'a', 'b'].map((name) => `${name} tiny prepare begin -`));
  });

  it('ends at the first script that fails, with what it said', async () => {
    const dir = temporaryFolder();
    await writeScript(dir, 'tiny/prepare/begin/1', 'echo no room >&2; exit 4');
    await writeScript(dir, 'tiny/prepare/begin/2', `touch ${dir}/ran`);
    expect((await decide(dir)).outcome).toEqual({ outcome: 'deny', reason: 'no room' });
    expect(() => readFileSync(join(dir, 'ran'))).toThrow('ENOENT');
  });

  it('runs a SUBOPERATION that is a file, follows links, and leaves out folders and what is not executable', async () => {
    const dir = temporaryFolder();
    await writeScript(dir, 'tiny/start/begin', 'exit 3');
    expect((await decide(dir, { event: 'start' })).outcome).toEqual({ outcome: 'deny', reason: 'exit status 3' });
    await mkdir(join(dir, 'tiny/prepare/begin/folder'), { recursive: true });
    await write(dir, 'tiny/prepare/begin/readme', 'exit 1');
    expect((await decide(dir)).outcome).toEqual({ outcome: 'allow' });
    await symlink(join(dir, 'tiny/start/begin'), join(dir, 'tiny/prepare/begin/link'));
    expect((await decide(dir)).outcome).toMatchObject({ outcome: 'deny' });
  });

  const hostile = ['../tiny', '..', '.', '', 'a/b', '/tiny', 'tiny/', 'x'.repeat(5_000)];
  it.each(hostile)('runs nothing for a guest named %j, which leaves the folder', async (name) => {
    const dir = temporaryFolder();
    for (const path of [
      'tiny/prepare/begin/x',
      'prepare/begin/x',
      'tree/a/b/prepare/begin/x',
      'tree/prepare/begin/x',
    ]) {
      await writeScript(dir, path, 'exit 1');
    }
    expect((await decide(join(dir, 'tree'), { name })).outcome).toEqual({ outcome: 'allow' });
    expect((await decide(join(dir, 'tree'), { name: 'a', event: '../../..' })).outcome).toEqual({ outcome: 'allow' });
  });

  it('runs the scripts of a guest whose name would mean something to a shell', async () => {
    const dir = temporaryFolder();
    const name = '-rf $(touch x) "a;b\'';
    await writeScript(dir, `${name}/prepare/begin/x`, 'exit 7');
    expect((await decide(dir, { name })).outcome).toEqual({ outcome: 'deny', reason: 'exit status 7' });
  });

  it('hands the document of a filter from script to script', async () => {
    const dir = temporaryFolder();
    await writeScript(dir, 'tiny/migrate/begin/1', 'sed s/a/b/');
    await writeScript(dir, 'tiny/migrate/begin/2', 'cat >/dev/null');
    await writeScript(dir, 'tiny/migrate/begin/3', 'sed s/b/c/');
    const { outcome } = await decide(dir, { event: 'migrate' }, { document: Buffer.from('<a/>') });
    expect(outcome).toEqual({ outcome: 'replace', document: Buffer.from('<c/>') });
  });

  it('has one deadline for all of its scripts', async () => {
    const dir = temporaryFolder();
    for (const name of ['1', '2', '3', '4']) await writeScript(dir, `tiny/prepare/begin/${name}`, 'sleep 0.4');
    const limits = { ...defaultLimits, deadlineMs: 700 };
    await expect(decide(dir, {}, { limits })).rejects.toMatchObject({ failure: 'deadline' });
  });

  it('is refused when its source is no folder', async () => {
    const dir = temporaryFolder();
    const file = await writeScript(dir, 'file', 'exit 0');
    await expect(decide(file)).rejects.toMatchObject({
      code: 'plugin-unreadable',
      message: `Cannot load the script '${file}': it is not a folder; specify a folder, or remove 'layout: tree'`,
    });
    await expect(decide(join(dir, 'none'))).rejects.toThrow('its folder cannot be read (ENOENT)');
    await chmod(file, 0o644);
  });
});
