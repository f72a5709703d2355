#!/usr/bin/env node
/**
 * The hook client for machines without a C compiler: behaves as native/client.c does, and starts 60 ms slower. It is
 * built into one file that stands alone, dist/hook-client.mjs, so that a symlink to it in /etc/libvirt/hooks is all
 * there is to install. See docs/client.md. libvirt's daemon runs it, as root, once for each hook.
 *
 * It has no options at all: every argument comes from libvirt, and an object's name is hostile input.
 */
import { messageOf } from '../contract/errors.js';
import type { HookReply } from '../contract/hook-frames.js';
import { readDocument } from './document.js';
import { exchange } from './exchange.js';
import { denialAborts, driverOf, joinedWords } from './hook.js';
import { inTime } from './in-time.js';
import { NoAnswer } from './no-answer.js';
import { say, shownPath, write } from './output.js';
import { type FilePolicy, readPolicy } from './policy.js';
import { runScript } from './script.js';
import { textOf } from './system-error.js';

const socketPath = setting('HOOKVISOR_SOCKET', '/run/hookvisor/hookvisor.sock');
const policyPath = setting('HOOKVISOR_UNREACHABLE', '/etc/hookvisor/unreachable');

/** An empty variable is as good as none. */
function setting(name: string, usual: string): string {
  const value = process.env[name];
  return value === undefined || value === '' ? usual : value;
}

/** Passes the answer on to libvirt. Returns the exit status. */
async function passOn({ status, stdout, stderr }: HookReply, aborts: boolean, deadline: number): Promise<number> {
  const failed = await write(process.stdout, stdout, deadline);
  await write(process.stderr, stderr, deadline);
  if (failed === null || status !== 0) return status;
  await say(`the document cannot be handed to libvirt: ${textOf(failed)}`);
  return aborts ? 1 : 0;
}

/** Does what the policy says where no script decides. Returns the exit status. */
async function followPolicy({ action, file, problem }: FilePolicy, aborts: boolean, reason: string): Promise<number> {
  const denied = aborts && action !== 'allow';
  const goesOn = aborts
    ? ', the operation goes on as configured'
    : ', the operation goes on: denying it would not stop it cleanly';
  await say(
    `the runtime at ${shownPath(socketPath)} cannot be reached (${reason})${denied ? '' : goesOn}; start it, or see ` +
      `${shownPath(file)}${problem === null ? '' : ` (which ${problem})`}`,
  );
  return denied ? 1 : 0;
}

/** Returns the exit status. */
async function main(driver: string, aborts: boolean): Promise<number> {
  const policy = readPolicy(policyPath);
  const deadline = performance.now() + policy.deadlineMs;
  let document: Buffer | null = null;
  let answer: HookReply;
  try {
    document = await inTime(readDocument(), deadline, 'the document on stdin did not end in time');
    answer = await exchange(socketPath, joinedWords(driver), document, deadline);
  } catch (error) {
    const reason = error instanceof NoAnswer ? error.message : `internal error: ${messageOf(error)}`;
    if (policy.action !== 'script' || document === null) return followPolicy(policy, aborts, reason);
    const status = await runScript(policy.script, document, policy.deadlineMs);
    return aborts ? status : 0;
  }
  return passOn(answer, aborts, deadline);
}

const driver = driverOf(process.argv[1] ?? '');
const aborts = denialAborts(driver, process.argv.slice(2));

/** Whatever goes wrong here denies where that is safe. Returns the exit status. */
async function failSafely(error: unknown): Promise<number> {
  await say(`internal error: ${messageOf(error)}`);
  return aborts ? 1 : 0;
}

process.on('uncaughtException', (error) => {
  void failSafely(error).then((status) => process.exit(status));
});
process.exit(await main(driver, aborts).catch(failSafely));
