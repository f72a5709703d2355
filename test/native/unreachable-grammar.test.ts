import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPolicy } from '../../src/commands/install/doctor/check-policy.js';
import { packageRoot } from '../../src/shared/paths.js';
import { parseUnreachablePolicy, type UnreachablePolicy } from '../../src/contract/unreachable-policy.js';
import { buildPolicyPrinter } from '../support/native-variant.js';
import { temporaryFolder, write } from '../support/temp.js';
import { unreachableCases } from '../support/unreachable-cases.js';
import { startHookServer } from '../support/hook-server.js';
import { clients, createBench } from './run-hook.js';

const folder = mkdtempSync(join(tmpdir(), 'grammar-'));
const file = join(folder, 'unreachable');
const title = (text: Buffer): string => JSON.stringify(text.toString('latin1').slice(0, 60));
const cases = unreachableCases.map(({ text, policy }) => ({ title: title(text), text, policy }));
let printer = '';

beforeAll(() => {
  execFileSync(process.execPath, [join(packageRoot, 'scripts/build-native.mjs')]);
  printer = buildPolicyPrinter(folder);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What a client writes when the policy decides. */
const parenthesis = ({ problem }: UnreachablePolicy): string => (problem === null ? '' : `(which ${problem})`);

describe.each(cases)('the policy $title', ({ text, policy }) => {
  it('is read by src/contract/unreachable-policy.ts as the table says', () => {
    expect(parseUnreachablePolicy(text)).toEqual(policy);
  });

  it('is read by native/policy.c as the table says', () => {
    writeFileSync(file, text);
    const printed = spawnSync(printer, { env: { HOOKVISOR_UNREACHABLE: file }, encoding: 'utf8' });
    const [action, script, deadlineMs, problem] = printed.stdout.split('\0');
    expect({ action, script, deadlineMs: Number(deadlineMs), problem: problem === '' ? null : problem }).toEqual(
      policy,
    );
  });

  it('is read by doctor as the table says', async () => {
    const root = temporaryFolder();
    await write(root, 'etc/hookvisor/unreachable', text);
    const [first, ...rest] = checkPolicy(root, null);
    expect(rest).toEqual([]);
    const word = policy.action === 'script' ? `script ${policy.script}` : policy.action;
    expect([first?.state, first?.found]).toEqual(
      policy.problem === null
        ? ['ok', `an unreachable runtime means '${word}', after at most ${policy.deadlineMs / 1_000} s`]
        : ['fail', `'/etc/hookvisor/unreachable' ${policy.problem}, so an unreachable runtime denies`],
    );
  });
});

describe.each(clients)('$label', ({ file: client }) => {
  const bench = createBench(client);
  afterAll(() => {
    bench.remove();
  });

  // A script that the table names does not exist, and so denies; a deadline that is short may be over.
  it.each(cases.filter(({ policy }) => policy.deadlineMs > 500))('follows the policy $title', async (one) => {
    const { text, policy } = one;
    const result = await bench.run({ unreachable: text });
    expect([result.status, result.stderr]).toEqual([policy.action === 'allow' ? 0 : 1, expect.any(String)]);
    if (policy.action === 'script') expect(result.stderr).toContain('cannot run ');
    else expect(result.stderr).toContain('cannot be reached (No such file or directory)');
    expect(/\(which .*\)/u.exec(result.stderr)?.[0] ?? '').toBe(parenthesis(policy));
  });

  it('waits for the last of two deadlines', async () => {
    await using server = await startHookServer(bench.socket, () => undefined);
    const result = await bench.run({ unreachable: 'deadline 0.1\nallow\ndeadline 1\n' });
    expect(server.calls).toHaveLength(1);
    expect(result).toMatchObject({ status: 0 });
    expect(result.ms).toBeGreaterThan(950);
    expect(await bench.run({ unreachable: 'deadline 60\nallow\ndeadline 0.1\n' })).toMatchObject({ status: 0 });
  });
});
