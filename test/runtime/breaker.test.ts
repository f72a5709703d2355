import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { buildFixture } from '../support/sandbox.js';
import { hookCaller } from '../support/client.js';
import { serve } from '../support/runtime.js';
import { temporaryFolder } from '../support/temp.js';

it('an open breaker is answered by the failure policy, and shown by the status and the journal', async () => {
  const dir = temporaryFolder();
  const source = await buildFixture('spin', dir);
  const limits = 'deadline: 150ms, fuel: 1_000_000_000_000';
  const handler = `{ backend: component, source: ${source}, failurePolicy: fail, ${limits} }`;
  const yaml = `handlers: { spin: ${handler} }\nroutes: [{ match: {}, handlers: [spin] }]`;
  const { socket, runtime, journalFile } = await serve(yaml, dir);
  const call = hookCaller(dir, socket);
  const prepare = () => call('qemu', ['tiny', 'prepare', 'begin', '-']);
  expect(runtime.status().handlers[0]?.breaker).toEqual({ state: 'closed', failures: 0, retryInMs: null });
  for (let i = 0; i < 3; i += 1) expect((await prepare()).status).toBe(1);
  expect(runtime.status().handlers[0]?.breaker).toMatchObject({ state: 'open', failures: 3 });
  // On a slow machine one of them may be the next trial.
  const refusals = [await prepare(), await prepare(), await prepare()];
  expect(refusals.map(({ status }) => status)).toEqual([1, 1, 1]);
  const open = /its breaker is open after \d failures that cost its process; next trial in \d s/u;
  expect(refusals.map(({ stderr }) => stderr).join('')).toMatch(open);
  expect(readFileSync(journalFile, 'utf8')).toMatch(open);
});
