import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HandlerRecord } from '../../../src/contract/verdict.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { entryOf, type EntryFields, openTestJournal } from '../../support/journal.js';
import { hookvisor } from '../../support/command.js';
import { temporaryFolder, write } from '../../support/temp.js';

/** Runs `hookvisor journal …` in this process and gives what it printed. */
async function journal(...args: string[]): ReturnType<typeof hookvisor> {
  return hookvisor('journal', ...args);
}

const now = Date.now();
const handler: Pick<HandlerRecord, 'backend' | 'mode' | 'fuel' | 'durationUs' | 'logs'> = {
  backend: 'component',
  mode: 'enforce',
  fuel: 1,
  durationUs: 1,
  logs: [],
};
const samples: readonly EntryFields[] = [
  {
    event: { id: 'aaaaaaaa-1', name: 'tenant-1', time: now - 3 * 3_600_000 },
    document: "<domain><graphics passwd='x'/></domain>",
    verdict: { handlers: [{ ...handler, handler: 'naming', outcome: 'allow', reason: null, failure: null }] },
  },
  {
    event: { id: 'aaaaaaab-2', name: 'tenant-2', time: now - 2 * 3_600_000 },
    verdict: {
      ...{ verdict: 'deny', answered: 'deny', reason: 'no capitals' },
      handlers: [{ ...handler, handler: 'naming', outcome: 'deny', reason: 'no capitals', failure: null }],
    },
  },
  {
    event: { id: 'cccccccc-3', name: 'evil\u001b[2J\nname', time: now - 60_000 },
    document: '<domain/>',
    verdict: {
      ...{ verdict: 'deny', answered: 'allow', reason: 'cannot decide: boom', effect: 'ignored' },
      handlers: [
        { ...handler, handler: 'naming', outcome: 'allow', reason: null, failure: null },
        { ...handler, handler: 'quota', outcome: null, reason: 'boom', failure: 'trap' },
      ],
    },
  },
];

async function sampleJournal(): Promise<string> {
  const dir = join(temporaryFolder(), 'journal');
  const opened = await openTestJournal(dir);
  for (const sample of samples) await opened.journal.append(entryOf(sample));
  await opened.journal[Symbol.asyncDispose]();
  return dir;
}

const namesIn = (json: string): unknown =>
  json
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { event: { name: string } }).event.name);

describe('hookvisor journal', () => {
  it('shows who decided what and why, one clean line for each event', async () => {
    const { status, out } = await journal(await sampleJournal());
    expect(status).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^TIME +ID +EVENT +NAME +VERDICT +HANDLER +REASON$/u);
    expect(lines[1]).toMatch(/aaaaaaaa +qemu prepare begin +tenant-1 +allow +naming$/u);
    expect(lines[2]).toMatch(/tenant-2 +deny +naming +no capitals$/u);
    expect(lines[3]).toMatch(/evil\\x1b\[2J name +deny, answered allow +quota +failed \(trap\): boom$/u);
    expect(lines).toHaveLength(4);
  });

  it.each([
    [
      ['--since', '150m'],
      ['tenant-2', samples[2]?.event?.name],
    ],
    [
      ['--until', '90m'],
      ['tenant-1', 'tenant-2'],
    ],
    [['--since', new Date(now - 90 * 60_000).toISOString()], [samples[2]?.event?.name]],
    [
      ['--name', 'tenant-*'],
      ['tenant-1', 'tenant-2'],
    ],
    [['--handler', 'quota'], [samples[2]?.event?.name]],
    [
      ['--verdict', 'deny'],
      ['tenant-2', samples[2]?.event?.name],
    ],
    [['--verdict', 'allow', '--handler', 'quota'], [samples[2]?.event?.name]],
    [['--failure'], [samples[2]?.event?.name]],
    [['--failure', 'deadline'], []],
    [['--failure', 'trap', '--handler', 'naming'], []],
    [['--limit', '1'], [samples[2]?.event?.name]],
    [
      ['--limit', '2', '--name', 'tenant-*'],
      ['tenant-1', 'tenant-2'],
    ],
  ])('with %j gives those that match', async (args, names) => {
    const dir = await sampleJournal();
    const run = await journal(dir, '--json', ...args);
    expect(run.status).toBe(0);
    expect(namesIn(run.out)).toEqual(names);
  });

  it('says when there are more than it shows', async () => {
    const run = await journal(await sampleJournal(), '--limit', '2');
    expect(run.out).not.toContain('tenant-1');
    expect(run.err).toBe('showing the last 2 events; --limit 0 shows all\n');
  });

  it('finds the folder in the configuration', async () => {
    const dir = await sampleJournal();
    const file = await write(join(dir, '..'), 'hv.yaml', 'version: 1\njournal: { dir: journal }\n');
    expect(namesIn((await journal('--config', file, '--json')).out)).toHaveLength(3);
  });

  it('prints the document of an event as it is stored', async () => {
    const dir = await sampleJournal();
    expect(await journal(dir, '--document', 'cccc')).toEqual({ status: 0, out: '<domain/>', err: '' });
    expect(await journal(dir, '--document', 'aaaaaaaa')).toEqual({
      status: 0,
      out: "<domain><graphics passwd='***'/></domain>",
      err: 'secrets were removed from this document (***)\n',
    });
  });

  it.each([
    [
      ['--document', 'zz'],
      `Cannot print the document of event 'zz': the journal has no such event; 'hookvisor journal' lists the ids`,
    ],
    [
      ['--document', 'aaaa'],
      `Cannot print the document of event 'aaaa': several ids start with this; specify more characters`,
    ],
    [
      ['--document', 'aaaaaaab'],
      `Cannot print the document of event 'aaaaaaab': libvirt sent no document with it; choose another event`,
    ],
    [['--since', 'yesterday'], 'Expected an age such as 30m, 12h or 7d, or a time such as 2026-11-22T10:00.'],
    [['--limit', 'many'], 'Expected a whole number; 0 means all.'],
    [['--verdict', 'maybe'], 'Allowed choices are allow, deny, replace.'],
  ])('%j exits with 2 and says what is wrong', async (args, message) => {
    const run = await journal(await sampleJournal(), ...args);
    expect(run.status).toBe(2);
    expect(run.err).toContain(message);
  });

  it.each([
    [
      'a folder that is not there',
      'version: 1\njournal: { dir: nowhere }\n',
      /it does not exist; 'hookvisor serve' creates it at start-up/u,
    ],
    ['a journal that is turned off', 'version: 1\njournal: false\n', /disables it; remove 'journal: false' there/u],
  ])('of %s exits with 2 and says so', async (_, yaml, message) => {
    const file = await write(temporaryFolder(), 'hv.yaml', yaml);
    for (const command of [[], ['verify']]) {
      const run = await journal(...command, '--config', file);
      expect(run.status).toBe(2);
      expect(run.err).toMatch(message);
    }
  });

  it('that holds a record of another version names it', async () => {
    const dir = await sampleJournal();
    const file = join(dir, '00000001.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('{"type":"event","v":1', '{"type":"event","v":7'));
    const run = await journal(dir);
    expect(run.status).toBe(2);
    expect(run.err).toContain(`Cannot read the record '${file}:3'`);
  });

  it('follows what is decided until it is interrupted', async () => {
    const dir = await sampleJournal();
    const opened = await openTestJournal(dir);
    const program = [join(packageRoot, 'dist', 'commands', 'main.js'), 'journal', dir, '--follow', '--name', 'new-*'];
    const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const closed = once(child, 'close');
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    let at = 0;
    await expect
      .poll(
        async () => {
          await opened.journal.append(entryOf({ event: { name: `new-${at++}` } }));
          await opened.journal.append(entryOf({ event: { name: 'other' } }));
          return lines.length;
        },
        { timeout: 15_000 },
      )
      .toBeGreaterThan(2);
    child.kill('SIGINT');
    expect(await closed).toEqual([0, null]);
    expect(lines[0]).toMatch(/^TIME/u);
    expect(lines.slice(1).every((line) => /new-\d+ +allow/u.test(line))).toBe(true);
  });
});

describe('hookvisor journal verify', () => {
  it('says what it checked, and the head to keep', async () => {
    const dir = await sampleJournal();
    const run = await journal('verify', dir);
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toMatch(/^intact: 3 events and 2 documents in 1 segments, numbers 1 to 6\nhead [0-9a-f]{64}\n$/u);
    const head = run.out.slice(-65, -1);
    expect(await journal('verify', dir, '--contains', head)).toMatchObject({ status: 0 });
    expect(await journal('verify', dir, '--contains', 'a'.repeat(64))).toMatchObject({
      status: 1,
      err: expect.stringContaining('no record of') as string,
    });
  });

  it('exits with 1 and names the record of one altered byte', async () => {
    const dir = await sampleJournal();
    const file = join(dir, '00000001.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"name":"tenant-2"', '"name":"tenant-3"'));
    const run = await journal('verify', dir);
    expect(run.status).toBe(1);
    expect(run.err).toContain(`changed: '${file}', line 4: `);
    const json = await journal('verify', dir, '--json');
    expect(JSON.parse(json.out)).toMatchObject({ valid: false, journal: dir, events: 1, bad: { file, line: 4 } });
  });

  it('exits with 0 for a torn end, and says that this is normal', async () => {
    const dir = await sampleJournal();
    const file = join(dir, '00000001.jsonl');
    writeFileSync(file, readFileSync(file).subarray(0, -100));
    const run = await journal('verify', dir);
    expect(run.status).toBe(0);
    expect(run.err).toMatch(
      /^torn: '.*00000001\.jsonl' ends with \d+ bytes of an incomplete record, as after a crash/u,
    );
    expect(run.out).toContain('intact: 2 events');
  });
});
