import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configFrom, createRuntime } from '../../src/runtime/runtime.js';
import { createTestBench } from '../../src/testing/plugin.js';
import { writeConfig } from '../support/runtime.js';
import { spawnersOf } from '../support/spawners.js';
import { temporaryFolder, writeScript } from '../support/temp.js';

const silent = (): void => undefined;
const spawners = (): number[] => spawnersOf(process.pid);

const configured = `
handlers: { one: { backend: script, source: ./script, failurePolicy: fail } }
routes: [ { match: {}, handlers: [one] } ]`;
const call = { driver: 'qemu', args: ['vm', 'prepare', 'begin', '-'], document: null };

describe('the process that starts scripts', () => {
  it('lives through a reload and ends with the runtime', async () => {
    const dir = temporaryFolder();
    await writeScript(dir, 'script', 'exit 0');
    const runtime = await createRuntime({ log: silent, load: configFrom(await writeConfig(dir, configured)) });
    const before = spawners();
    expect(before).toHaveLength(1);
    await runtime.reload();
    await runtime.hook(call);
    expect(spawners()).toEqual(before);
    await runtime[Symbol.asyncDispose]();
    expect(spawners()).toEqual([]);
  });

  it('lets the scripts that run finish first', async () => {
    const dir = temporaryFolder();
    await writeScript(dir, 'script', 'sleep 0.3; echo late >&2; exit 1');
    const runtime = await createRuntime({ log: silent, load: configFrom(await writeConfig(dir, configured)) });
    const deciding = runtime.hook(call);
    await runtime[Symbol.asyncDispose]();
    expect((await deciding).verdict).toMatchObject({ verdict: 'deny', reason: 'late' });
    expect(spawners()).toEqual([]);
  });

  it('ends when a configuration cannot be loaded', async () => {
    const dir = temporaryFolder();
    await writeScript(dir, 'script', 'exit 0');
    const file = await writeConfig(
      dir,
      `
handlers:
  one: { backend: script, source: ./script, failurePolicy: fail }
  two: { backend: script, source: ./${randomUUID()}, failurePolicy: fail }`,
    );
    await expect(createRuntime({ log: silent, load: configFrom(file) })).rejects.toMatchObject({
      code: 'config-invalid',
    });
    expect(spawners()).toEqual([]);
  });

  it('ends with the bench of a test', async () => {
    const dir = temporaryFolder();
    await writeScript(dir, 'script', 'exit 0');
    const bench = createTestBench();
    await bench.load({ file: join(dir, 'script') });
    expect(spawners()).toHaveLength(1);
    await bench[Symbol.asyncDispose]();
    expect(spawners()).toEqual([]);
  });
});
