import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { hookCaller } from '../support/client.js';
import { hookvisor } from '../support/command.js';
import { hostilePlugin } from '../support/hostile-languages.js';
import { serve } from '../support/runtime.js';
import type { TestRuntime } from '../support/runtime.js';
import { temporaryFolder, write, writeScript } from '../support/temp.js';

/** What a terminal would act on; a line's end is not. */
const acted = /[^\P{Cc}\n]|\p{Default_Ignorable_Code_Point}|\p{Bidi_Control}|[\p{Cf}\p{Co}\p{Zl}\p{Zp}]/u;

const visible = '\\x1b[2J\\x1b]0;owned\\x07\\x9b31m\\u202e root#';

let plugin: Buffer;
beforeAll(async () => {
  plugin = await hostilePlugin('assemblyscript');
}, 120_000);

/** A runtime that asks the plugin about everything. */
async function runtime(): Promise<TestRuntime> {
  const dir = temporaryFolder();
  await write(dir, 'hostile.wasm', plugin);
  const handler = '{ backend: extism, source: hostile.wasm, deadline: 10s, failurePolicy: fail }';
  return serve(`handlers:\n  hostile: ${handler}\nroutes:\n  - { match: {}, handlers: [hostile] }`, dir);
}

const emit = (socket: string, guest: string, ...more: string[]): ReturnType<typeof hookvisor> =>
  hookvisor('emit', 'domain', guest, 'prepare', 'begin', '--socket', socket, ...more);

describe('terminal escapes of a plugin', () => {
  it('in a message are data in the journal, and nothing that a terminal acts on is printed', async () => {
    const { socket, dir, journaled } = await runtime();
    const shown = await emit(socket, 'escapes-in-log');
    const asJson = await emit(socket, 'escapes-in-log', '--json');
    expect([shown.status, asJson.status]).toEqual([0, 0]);
    const logs = journaled().map(({ handlers }) => handlers[0]?.logs);
    const message = '\x1b[2J\x1b]0;owned\x07\u202e\r\nroot# ';
    expect(logs).toEqual(Array(2).fill([{ level: 'warn', message }]));
    const table = await hookvisor('journal', `${dir}/journal`);
    expect(table.out).toContain('escapes-in-log');
    for (const { out, err } of [shown, table]) expect(`${out}${err}`).not.toMatch(acted);
    const records = await hookvisor('journal', `${dir}/journal`, '--json');
    for (const { out, err } of [asJson, records]) {
      expect(out).toContain('\\u001b[2J\\u001b]0;owned\\u0007');
      expect(`${out}${err}`).not.toMatch(acted);
    }
  }, 60_000);

  it('in a reason are made visible by emit and by the journal', async () => {
    const { socket, dir } = await runtime();
    const shown = await emit(socket, 'escapes-in-reason');
    expect(shown.status).toBe(1);
    expect(shown.err).toContain(`denied: ${visible}\n`);
    const table = await hookvisor('journal', `${dir}/journal`);
    expect(table.out).toContain(visible);
    for (const { out, err } of [shown, table]) expect(`${out}${err}`).not.toMatch(acted);
    const asJson = await emit(socket, 'escapes-in-reason', '--json');
    const records = await hookvisor('journal', `${dir}/journal`, '--json');
    for (const { out, err } of [asJson, records]) expect(`${out}${err}`).not.toMatch(acted);
  }, 60_000);
});

describe('characters that hide themselves or move others', () => {
  const hiding = '\u061c\u200b\u{e0041}\u180e\u3164\u00ad\u2060\ufeff\u202e\u009b';
  const shown = '\\u061c\\u200b\\u{e0041}\\u180e\\u3164\\xad\\u2060\\ufeff\\u202e\\x9b';
  const cli = join(packageRoot, 'dist', 'commands', 'main.js');
  /** What a command of its own process prints; its status does not matter. */
  const printed = async (command: string, ...args: string[]): Promise<string> => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    return (await Promise.all([text(child.stdout), text(child.stderr)])).join('');
  };

  it("in a script's reason and a guest's name are visible wherever a person sees them", async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'deny', `printf 'no%s.' "$1" >&2; exit 1`);
    const handler = `{ backend: script, source: ${script}, failurePolicy: fail }`;
    const { socket, configFile } = await serve(
      `handlers: { deny: ${handler} }\nroutes: [ { match: {}, handlers: [deny] } ]`,
      dir,
    );
    const libvirt = await hookCaller(dir, socket)('qemu', [hiding, 'prepare', 'begin', '-']);
    expect(libvirt.stderr).toBe(`deny: no${shown}.\n`);
    const journal = join(dir, 'journal');
    for (const args of [
      ['emit', 'domain', hiding, 'prepare', 'begin', '--socket', socket],
      ['journal', journal],
      ['replay', join(dir, hiding), '--config', configFile],
      ['doctor', '--config', join(dir, hiding)],
      [`check`, '--config', join(dir, hiding)],
      ['vet', join(dir, `${hiding}.wasm`)],
      ['journal', 'verify', join(dir, hiding)],
      ['status', '--socket', join(dir, hiding)],
      [hiding],
      ['emit', `--${hiding}`],
    ]) {
      const said = await printed(process.execPath, cli, ...args);
      expect(said, args[0]).toContain('\\u200b');
      expect(said, args[0]).not.toMatch(acted);
    }
  }, 60_000);

  it('in a document are visible on a terminal, and bytes in a pipe', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'allow', 'exit 0');
    const handler = `{ backend: script, source: ${script}, failurePolicy: fail }`;
    const { socket } = await serve(
      `handlers: { allow: ${handler} }\nroutes: [ { match: {}, handlers: [allow] } ]`,
      dir,
    );
    const document = `<domain>\n  <title>${hiding}</title>\n</domain>`;
    await hookCaller(dir, socket)('qemu', ['tiny', 'prepare', 'begin', '-'], document);
    const print = ['journal', join(dir, 'journal'), '--document', ''];
    expect(await printed(process.execPath, cli, ...print)).toBe(document);
    const command = [process.execPath, cli, ...print].map((word) => `'${word}'`).join(' ');
    const terminal = await printed('script', '-qec', command, '/dev/null');
    expect(terminal.replaceAll('\r\n', '\n')).toBe(document.replace(hiding, shown));
  }, 60_000);
});
