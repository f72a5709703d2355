#!/usr/bin/env node
/**
 * The hook client for machines without a C compiler. It behaves like native/client.c and starts 60 ms slower. It is
 * built into one self-contained file, dist/hook-client.mjs, so that installation only needs a symlink to it in
 * /etc/libvirt/hooks. See docs/client.md. libvirt's daemon runs it as root, once for each hook.
 *
 * It has no options: every argument comes from libvirt, and an object's name is hostile input.
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

/** Returns an environment variable, or the default if the variable is unset or empty. */
function setting(name: string, usual: string): string {
  const value = process.env[name];
  return value === undefined || value === '' ? usual : value;
}

/** Writes the answer for libvirt. Returns the exit status. */
async function passOn({ status, stdout, stderr }: HookReply, aborts: boolean, deadline: number): Promise<number> {
  const failed = await write(process.stdout, stdout, deadline);
  await write(process.stderr, stderr, deadline);
  if (failed === null || status !== 0) return status;
  await say(`the document cannot be written for libvirt: ${textOf(failed)}`);
  return aborts ? 1 : 0;
}

/** Applies the policy if no script decides. Returns the exit status. */
async function followPolicy({ action, file, problem }: FilePolicy, aborts: boolean, reason: string): Promise<number> {
  const denied = aborts && action !== 'allow';
  const goesOn = aborts
    ? ', the operation continues as configured'
    : ', the operation continues: a denial would not stop it cleanly';
  await say(
    `the runtime at ${shownPath(socketPath)} cannot be reached (${reason})${denied ? '' : goesOn}; start it, or see ` +
      `${shownPath(file)}${problem === null ? '' : ` (which ${problem})`}`,
  );
  return denied ? 1 : 0;
}

/** Forwards the hook call to the runtime, or follows the policy if there is no answer. Returns the exit status. */
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

/** Denies after an unexpected failure if denying is safe. Returns the exit status. */
async function failSafely(error: unknown): Promise<number> {
  await say(`internal error: ${messageOf(error)}`);
  return aborts ? 1 : 0;
}

process.on('uncaughtException', (error) => {
  void failSafely(error).then((status) => process.exit(status));
});
process.exit(await main(driver, aborts).catch(failSafely));
