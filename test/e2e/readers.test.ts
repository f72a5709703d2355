import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { frameType } from '../../src/contract/hook-frames.js';
import { decodeHeadAndTail, encodeFrame, encodeHeadAndTail, FrameReader } from '../../src/contract/framing.js';
import { commandSchema, readOnlyCommands } from '../../src/contract/protocol.js';
import { readGroups } from '../../src/runtime/files/accounts.js';
import { packageRoot } from '../../src/shared/paths.js';
import { hookCaller } from '../support/client.js';
import { hookvisor } from '../support/command.js';
import { noOtherUser, otherUser } from '../support/other-user.js';
import { serve } from '../support/runtime.js';
import { temporaryFolder } from '../support/temp.js';
import { writePlugin } from '../support/tiny-plugins.js';

const main = join(packageRoot, 'dist/commands/main.js');
const group = readGroups().find(({ gid }) => gid !== 0);
const why = noOtherUser ?? (group === undefined ? 'there is no group but root' : null);

const socketFor = (name: string): string => `{ path: hv.sock, group: ${name} }`;

/** Runs the command as a user with one group. */
async function as(gid: number, ...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [main, ...args], { uid: otherUser, gid, cwd: '/', env: {}, timeout: 60_000 });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: child.exitCode, out, err };
}

/** Sends one frame and returns the head of the answer. */
async function ask(socket: string, frame: Buffer): Promise<{ type: number | undefined; head: unknown }> {
  const connection = connect(socket);
  await once(connection, 'connect');
  connection.write(frame);
  const [answer] = new FrameReader(1_000_000).push(await buffer(connection));
  return { type: answer?.type, head: answer === undefined ? null : decodeHeadAndTail(answer.body).head };
}

describe.skipIf(why !== null)(`a group that may look${why === null ? '' : ` (skipped: ${why})`}`, () => {
  const gid = group?.gid ?? 0;
  const name = group?.name ?? '';
  const served = (dir = temporaryFolder()) => serve('', dir, socketFor(name));

  it('sees status and journal, and changes nothing', async () => {
    const { dir, socket } = await served();
    await hookCaller(dir, socket)('qemu', ['tiny', 'start', 'begin', '-']);
    const status = await as(gid, 'status', '--socket', socket, '--json');
    expect(status).toMatchObject({ status: 0, err: '' });
    expect(JSON.parse(status.out)).toMatchObject({ socket, events: { answered: 1 } });
    expect(await as(gid, 'journal', join(dir, 'journal'))).toMatchObject({ status: 0, err: '' });
    expect((await as(gid, 'journal', join(dir, 'journal'))).out).toContain('tiny');
    expect((await as(gid, 'journal', 'verify', join(dir, 'journal'))).err).not.toContain('EACCES');
    for (const command of [['reload'], ['emit', 'domain', 'a', 'start', 'begin']]) {
      const refused = await as(gid, ...command, '--socket', socket);
      expect(refused.status).not.toBe(0);
      expect(refused.err).toContain('only root may use it; run this as root');
    }
  });

  it('checks a configuration that it may read, and is told what to do about one that it may not', async () => {
    const dir = temporaryFolder();
    await writePlugin(dir, 'allow');
    const handler = 'handlers: { a: { backend: extism, source: allow.wasm, failurePolicy: fail } }\n';
    const { configFile } = await serve(`${handler}routes: [{ match: {}, handlers: [a] }]\n`, dir, socketFor(name));
    chmodSync(configFile, 0o600);
    expect((await as(gid, 'check', '--config', configFile)).err).toContain(
      `permission denied; run this as root, or let your group read it: chgrp GROUP ${configFile} && chmod 640 ${configFile}`,
    );
    expect((await as(0, 'check', '--config', configFile)).err).toContain('permission denied');
    const mend = `chgrp ${name} ${configFile} && chmod 640 ${configFile}`;
    expect((await hookvisor('check', '--config', configFile)).err).toContain(`cannot read this file; run: ${mend}`);
    chownSync(configFile, 0, gid);
    chmodSync(configFile, 0o640);
    expect((await hookvisor('check', '--config', configFile)).err).not.toContain(mend);
    const checked = await as(gid, 'check', '--config', configFile);
    expect(checked).toMatchObject({ status: 0 });
    expect(checked.out).toContain('valid');
  });

  it('is everybody else to those outside it', async () => {
    const { dir, socket } = await served();
    expect((await as(otherUser, 'status', '--socket', socket)).status).not.toBe(0);
    expect((await as(otherUser, 'journal', join(dir, 'journal'))).out).toBe('');
  });

  it('has a socket that refuses each command that changes something, and hook calls', async () => {
    const { dir } = await served();
    const socket = join(dir, 'read-only.sock');
    expect(statSync(socket).mode & 0o777).toBe(0o660);
    const digest = 'a'.repeat(64);
    const words = { kind: 'domain', name: 'a', event: 'start', qualifier: 'begin' };
    const fields = { handler: 'a', from: digest, to: digest, file: '/a', durationMs: 1 };
    for (const { shape } of commandSchema.options) {
      const [command] = shape.command.values;
      if (command === undefined) continue;
      const all: Record<string, unknown> = { ...words, ...fields };
      const given = Object.keys(shape).filter((key) => key !== 'command' && key in all);
      const head = { command, ...Object.fromEntries(given.map((key) => [key, all[key]])) };
      const answer = await ask(socket, encodeFrame(frameType.command, ...encodeHeadAndTail(head, null)));
      if (readOnlyCommands.includes(command)) expect(answer.type).toBe(frameType.commandAnswer);
      else expect(answer, command).toMatchObject({ type: frameType.refusal, head: { code: 'forbidden' } });
    }
    const call = encodeFrame(frameType.hookCall, Buffer.from('qemu'));
    expect(await ask(socket, call)).toMatchObject({ type: frameType.refusal, head: { code: 'forbidden' } });
  });

  it('reads the segments of the journal, not its key or its lock', async () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, 'journal'), { mode: 0o700 });
    await served(dir);
    const folder = join(dir, 'journal');
    expect(statSync(folder)).toMatchObject({ gid });
    for (const file of readdirSync(folder)) {
      const { mode, gid: owner } = statSync(join(folder, file));
      const isSegment = file.endsWith('.jsonl');
      expect([file, mode & 0o777]).toEqual([file, isSegment ? 0o640 : 0o600]);
      if (isSegment) expect(owner).toBe(gid);
    }
  });

  it('that does not exist locks nobody out', async () => {
    const { dir, socket, said } = await serve('', temporaryFolder(), '{ path: hv.sock, group: no-such-group }');
    expect((await hookCaller(dir, socket)('qemu', ['tiny', 'start', 'begin', '-'])).status).toBe(0);
    expect(said.join('\n')).toContain("there is no group 'no-such-group'; run: groupadd --system no-such-group");
  });
});
