import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hookvisor } from '../../support/command.js';
import { serve, type TestRuntime } from '../../support/runtime.js';
import { temporaryFolder, write, writeScript } from '../../support/temp.js';
import { writePlugin, writeTrap } from '../../support/tiny-plugins.js';

const document = "<domain type='qemu'><name>tiny</name><uuid>11111111-2222-4333-8444-555555555555</uuid></domain>";
const withSecret = document.replace('</uuid>', "</uuid><graphics type='vnc' passwd='s3cret'/>");

interface Stage extends TestRuntime {
  readonly journal: string;
  readonly ranTimes: () => number;
}

/** A runtime that has decided three starts with a plugin and a script, one of them about a document with a secret. */
async function stage(): Promise<Stage> {
  const dir = temporaryFolder();
  await writePlugin(dir, 'allow', 'h.wasm');
  const ran = join(dir, 'ran');
  const script = await writeScript(dir, 'script', `echo x >> '${ran}'`);
  const runtime = await serve(
    `handlers:
  h: { backend: extism, source: h.wasm, failurePolicy: fail }
  script: { backend: script, source: ${script}, failurePolicy: fail }
routes: [ { match: {}, handlers: [h, script] } ]`,
    dir,
  );
  for (const [name, xml] of [
    ['one', document],
    ['two', document],
    ['three', withSecret],
  ] as const) {
    const call = { driver: 'qemu', args: [name, 'start', 'begin', '-'], document: Buffer.from(xml) };
    await runtime.runtime.hook(call);
  }
  const ranTimes = (): number => readFileSync(ran, 'utf8').trim().split('\n').length;
  return { ...runtime, journal: join(dir, 'journal'), ranTimes };
}

const resultSchema = z.looseObject({
  events: z.number(),
  compared: z.number(),
  changes: z.array(z.looseObject({ change: z.string() })),
});

async function replayJson(...args: string[]): Promise<{ status: number; result: z.infer<typeof resultSchema> }> {
  const { status, out } = await hookvisor('replay', ...args, '--json');
  return { status, result: resultSchema.parse(JSON.parse(out)) };
}

describe('hookvisor replay', { timeout: 60_000 }, () => {
  it('--exact finds the same outcome, logs and fuel where nothing changed, and lists what cannot be compared', async () => {
    const { journal, configFile, ranTimes } = await stage();
    const { status, result } = await replayJson(journal, '--config', configFile, '--exact');
    expect(status).toBe(0);
    expect(result).toMatchObject({
      events: 3,
      compared: 2,
      same: 2,
      differing: 0,
      notComparable: { 'script: it is a script': 3, 'h: secrets were removed from its document': 1 },
      changes: [],
    });
    expect(ranTimes()).toBe(3);
  });

  it('--exact exits with 1 when an answer is not the recorded one', async () => {
    const { dir, journal, configFile } = await stage();
    // Less fuel is the one thing that changes what the same plugin with the same settings says.
    const text = readFileSync(configFile, 'utf8');
    writeFileSync(configFile, text.replace('source: h.wasm,', 'source: h.wasm, fuel: 5,'));
    const run = await hookvisor('replay', journal, '--config', configFile, '--exact');
    expect(run.status, dir).toBe(1);
    expect(run.out).toMatch(/DIFFERS {2}qemu start begin {2}one {2}by h/u);
    expect(run.out).toMatch(/then {2}allow.*\n {2}now {3}failed \(out-of-fuel\)/u);
    expect(run.out).toContain('identical 0  different 2');
  });

  it('--exact does not compare another plugin', async () => {
    const { dir, journal, configFile } = await stage();
    await writePlugin(dir, 'deny', 'h.wasm');
    const { status, result } = await replayJson(journal, '--config', configFile, '--exact');
    expect(status).toBe(0);
    expect(result).toMatchObject({ compared: 0, notComparable: { 'h: its plug-in has changed': 3 } });
  });

  it('shows each flip of another plugin with both reasons, and exits with 1 for it when asked to', async () => {
    const { dir, journal, configFile } = await stage();
    const plugin = await writePlugin(dir, 'deny');
    const args = [journal, '--config', configFile, '--handler', 'h', '--plugin', plugin];
    const run = await hookvisor('replay', ...args);
    expect(run.status).toBe(0);
    expect(run.out).toMatch(/FLIP {2}qemu start begin {2}one {2}by h .*\n {2}then {2}allow .*\n {2}now {3}deny: no/u);
    expect(run.out).toContain('same 0  flips 3  new failures 0  reworded 0');
    expect(run.out).toContain('1 documents had secrets removed');
    expect((await hookvisor('replay', ...args, '--fail-on-flip')).status).toBe(1);
  });

  it('counts a plugin that fails now as new failures', async () => {
    const { dir, journal, configFile } = await stage();
    const args = [journal, '--config', configFile, '--handler', 'h', '--plugin', await writeTrap(dir)];
    const { status, result } = await replayJson(...args, '--fail-on-flip');
    expect(status).toBe(1);
    expect(result).toMatchObject({ newFailures: 3, flips: 0, changes: [{}, {}, {}] });
  });

  it('of a whole configuration compares what libvirt is told, and runs no script', async () => {
    const { dir, journal, configFile, ranTimes } = await stage();
    expect(await replayJson(journal, '--config', configFile)).toMatchObject({ result: { same: 3, notComparable: {} } });
    await writePlugin(dir, 'deny', 'h.wasm');
    expect(await replayJson(journal, '--config', configFile)).toMatchObject({
      status: 0,
      result: { same: 0, flips: 3 },
    });
    expect(ranTimes()).toBe(3);
  });

  it('shows what is decided now about captured calls', async () => {
    const { dir, configFile } = await stage();
    const call = JSON.stringify({ driver: 'qemu', argv: ['x', 'start', 'begin', '-'], stdin: document, uid: 0 });
    const file = await write(dir, 'calls.jsonl', `${call}\n\n${call}\n`);
    const plugin = await writePlugin(dir, 'deny');
    const alone = await replayJson(file, '--config', configFile, '--handler', 'x', '--plugin', plugin);
    expect(alone.result).toMatchObject({ events: 2, decidedNow: { deny: 2 }, flips: 0 });
    const beside = await replayJson(file, '--config', configFile, '--handler', 'h', '--plugin', plugin);
    expect(beside.result).toMatchObject({ events: 2, decidedNow: {}, flips: 2 });
  });
});

describe('hookvisor replay refuses', { timeout: 60_000 }, () => {
  it('a journal with an altered record, and names its line', async () => {
    const { journal, configFile, journalFile } = await stage();
    writeFileSync(journalFile, readFileSync(journalFile, 'utf8').replace('"name":"two"', '"name":"Two"'));
    const run = await hookvisor('replay', journal, '--config', configFile);
    expect(run.status).toBe(2);
    expect(run.err).toContain(
      `Cannot replay '${journal}': in '${journalFile}', line 4: its hash does not match: it was altered`,
    );
  });

  it('a captured call that is none, and names its line', async () => {
    const dir = temporaryFolder();
    const plugin = await writePlugin(dir, 'allow');
    const good = '{"driver":"qemu","argv":["x","start"]}';
    for (const [bad, why] of [
      ['{"driver":"qemu"}', 'argv: '],
      ['{', 'JSON'],
      ['{"driver":"qemu","argv":["x","-"]}', 'without an operation'],
    ] as const) {
      const file = await write(dir, 'calls.jsonl', `${good}\n${bad}\n`);
      const run = await hookvisor('replay', file, '--handler', 'h', '--plugin', plugin);
      expect(run.status).toBe(2);
      expect(run.err).toContain(`Cannot read the captured call '${file}:2': `);
      expect(run.err).toContain(why);
    }
  });

  it.each([
    ['a source that is not there', ['/nonexistent.jsonl', '--handler', 'h', '--plugin', 'h.wasm'], 'it does not exist'],
    ['a plugin for no handler', ['/', '--plugin', 'x.wasm'], 'specify it with --handler'],
    ['--exact of another plugin', ['/', '--handler', 'h', '--exact'], "Cannot combine '--exact'"],
    ['settings that are none', ['/', '--handler', 'h', '--plugin', 'h.wasm', '--settings', '{ a'], 'line 1, column'],
  ])('%s', async (_, args, message) => {
    const dir = temporaryFolder();
    const plugin = await writePlugin(dir, 'allow', 'h.wasm');
    const run = await hookvisor('replay', ...args.map((arg) => (arg === 'h.wasm' ? plugin : arg)));
    expect(run.status).toBe(2);
    expect(run.err).toContain(message);
  });
});
