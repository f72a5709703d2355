import { beforeAll, describe, expect, it } from 'vitest';
import { hookvisor } from '../support/command.js';
import { hostilePlugin } from '../support/hostile-languages.js';
import { serve } from '../support/runtime.js';
import type { TestRuntime } from '../support/runtime.js';
import { temporaryFolder, write } from '../support/temp.js';

/** What a terminal would act on; a line's end is not. */
const acted = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u;

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
