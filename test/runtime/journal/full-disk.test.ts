import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { configFrom, createRuntime } from '../../../src/runtime/runtime.js';
import { verifyJournal } from '../../../src/runtime/journal/verify.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { namesIn } from '../../support/journal.js';
import { temporaryFolder, write } from '../../support/temp.js';

const program = (name: string): boolean =>
  ['/usr/bin', '/bin', '/sbin', '/usr/sbin'].some((dir) => existsSync(join(dir, name)));

describe('a record that cannot be written', () => {
  it('leaves no trace but a gap that says how many were lost, in an unbroken chain', async (ctx) => {
    if (!program('prlimit')) ctx.skip('needs prlimit of util-linux, to bound the size of files');
    const dir = temporaryFolder();
    const script = join(packageRoot, 'test', 'fixtures', 'journal', 'full.mjs');
    const said = execFileSync(process.execPath, [script, dir], { encoding: 'utf8' });
    const { lost, codes } = z.object({ lost: z.number(), codes: z.array(z.string()) }).parse(JSON.parse(said));
    expect(codes).toEqual(['journal']);
    expect(lost).toBeGreaterThan(15);
    const report = await verifyJournal(dir);
    expect(report).toMatchObject({ bad: null, torn: [], lost, events: 45 - lost });
    expect((await namesIn(dir)).slice(-5)).toEqual(['vm40', 'vm41', 'vm42', 'vm43', 'vm44']);
    const gap = readFileSync(join(dir, '00000001.jsonl'), 'utf8')
      .split('\n')
      .find((line) => line.startsWith('{"type":"gap"'));
    expect(JSON.parse(gap ?? '')).toMatchObject({ lost, since: 1000 + 40 - lost, until: 1039 });
  });

  it('on a full disk does not change the verdict, is counted, and writing goes on when there is room', async (ctx) => {
    if (process.getuid?.() !== 0) ctx.skip('needs root, to mount a small file system');
    const dir = temporaryFolder();
    const disk = join(dir, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'tmpfs', disk], { stdio: 'pipe' });
    } catch {
      ctx.skip('may not mount a file system here');
    }
    onTestFinished(() => {
      execFileSync('/bin/umount', ['-l', disk]);
    });
    const file = await write(dir, 'hookvisor.yaml', 'version: 1\nsocket: hv.sock\njournal: { dir: disk/journal }\n');
    const said: string[] = [];
    await using runtime = await createRuntime({ log: (_, message) => said.push(message), load: configFrom(file) });
    const emit = async (name: string): Promise<string> => {
      const words = { kind: 'domain', name, event: 'start', qualifier: 'begin' };
      const document = Buffer.from(`<domain>${name}${'x'.repeat(8_000)}</domain>`);
      return (await runtime.emit({ command: 'emit', ...words }, document)).verdict.answered;
    };
    expect(await emit('before')).toBe('allow');
    const filler = join(disk, 'filler');
    try {
      for (let at = 0; ; at++) writeFileSync(filler, Buffer.alloc(1_024), { flag: 'a' });
    } catch {
      // Full.
    }
    for (let at = 0; at < 3; at++) expect(await emit(`lost${at}`)).toBe('allow');
    expect(runtime.status().journal).toMatchObject({ unrecorded: 3 });
    expect(said.join('\n')).toMatch(/Cannot write to the journal '.*': ENOSPC/u);
    rmSync(filler);
    expect(await emit('after')).toBe('allow');
    expect(await namesIn(join(disk, 'journal'))).toEqual(['before', 'after']);
    expect(await verifyJournal(join(disk, 'journal'))).toMatchObject({ bad: null, torn: [], lost: 3 });
  });
});
