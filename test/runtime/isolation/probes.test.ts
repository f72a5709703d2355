import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, ListenOptions } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../../src/shared/paths.js';
import type { ChosenIsolation } from '../../../src/runtime/isolation/choose-isolation.js';
import type { Protection } from '../../../src/runtime/isolation/isolation.js';
import { nodeCommand } from '../../../src/runtime/isolation/node-command.js';
import { startProcess } from '../../../src/runtime/isolation/sandbox-process.js';
import type { SandboxProcess } from '../../../src/runtime/isolation/sandbox-process.js';
import { found } from './mechanisms.js';
import { samplePlugin, temporaryFolder } from '../../support/sandbox.js';

const probe = join(packageRoot, 'test', 'fixtures', 'sandbox', 'probe.mjs');

/** What Node's permission model refuses, at every level. */
const byNode = {
  'node-permissions': [
    ...['shadow', 'other-files', 'write', 'spawn', 'worker', 'addon', 'wasi', 'bindings'],
    ...['inspector', 'inspector-signal', 'processes', 'parent-environment', 'trace'],
  ],
} as const;

/** What the kernel refuses by itself, with the permission model turned off. */
const byKernel: Partial<Record<Protection, readonly string[]>> = {
  'empty-environment': ['environment'],
  'no-new-privileges': ['become-root'],
  'bounded-resources': ['descriptors'],
  'own-user': ['user'],
  'bounded-processes': ['threads'],
  'no-signals': ['signal-runtime', 'other-runner', 'trace', 'signal-parent'],
  'no-processes': ['processes', 'parent-environment'],
  'no-files': ['shadow', 'other-files', 'write', 'addon'],
  'no-network': ['tcp', 'interfaces'],
  'no-unix-sockets': ['unix-socket', 'abstract-socket'],
  'fewer-system-calls': ['spawn'],
};

const generous = { memoryMiB: 4_096, cpuSeconds: 60, processes: 32 };

const resultsSchema = z.record(z.string(), z.object({ refused: z.boolean(), what: z.string() }));
type Results = z.infer<typeof resultsSchema>;

const cleanups: (() => PromiseLike<void>)[] = [];
let targets: Record<string, unknown> = {};

beforeAll(async () => {
  const folder = await temporaryFolder();
  cleanups.push(() => folder[Symbol.asyncDispose]());
  const cache = join(folder.path, 'cache');
  await mkdir(cache);
  const plugin = join(cache, 'other.wasm');
  await copyFile(samplePlugin('tiny-allow'), plugin);
  const addon = join(folder.path, 'addon.node');
  await writeFile(addon, 'not even an ELF file');
  const socket = join(folder.path, 'libvirt-sock');
  const abstract = `hookvisor-probe-${process.pid}`;
  await listen({ path: socket });
  await listen({ path: `\0${abstract}` });
  const { port } = await listen({ port: 0, host: '127.0.0.1' });
  targets = { folder: folder.path, cache, plugin, addon, socket, abstract, port, packageRoot, runtime: process.pid };
});

afterAll(async () => {
  for (const cleanup of cleanups) await cleanup();
});

for (const { name, chosen, why } of found) {
  describe(`isolation by ${name}`, { timeout: 90_000 }, () => {
    if (chosen === null) {
      it('is there', (ctx) => {
        ctx.skip(`not on this machine, ${why}`);
      });
      return;
    }
    const { protections } = chosen.isolation;
    const claimed = protections.flatMap((claim) => (byKernel[claim] ?? []).map((attempt) => [claim, attempt] as const));
    let asUsual: Results = {};
    let withoutNode: Results = {};
    beforeAll(async () => {
      const other = start(chosen, true);
      asUsual = await results(other, Object.values(byNode).flat());
      const process = start(chosen, false);
      withoutNode = await results(
        process,
        claimed.map(([, attempt]) => attempt),
        { other: other.pid },
      );
      for (const { stdin } of [other, process]) stdin.end();
      await Promise.all([other.ended, process.ended]);
    }, 90_000);

    it.each(byNode['node-permissions'])("refuses '%s' by Node's permission model", (attempt) => {
      expect(asUsual[attempt]).toMatchObject({ refused: true });
    });
    it.each(claimed)("has %s: the kernel refuses '%s'", (_, attempt) => {
      expect(withoutNode[attempt]).toMatchObject({ refused: true });
    });

    it.runIf(protections.includes('bounded-resources'))('bounds the memory', async () => {
      const bomb = start(chosen, false, { ...generous, memoryMiB: 1_024 });
      const result = await results(bomb, ['memory']).catch(String);
      bomb.kill();
      const how = await bomb.ended;
      if (typeof result === 'string')
        expect(how).toMatch(/^it was terminated by SIG|out of memory|allocation failed/iu);
      else expect(result['memory']).toMatchObject({ refused: true });
    });
  });
}

describe('isolation by process', () => {
  it('ends what computes without end', async (ctx) => {
    const chosen = found.find(({ name }) => name === 'process')?.chosen;
    if (chosen?.isolation.protections.includes('bounded-resources') !== true) {
      ctx.skip('prlimit is not installed');
      return;
    }
    const endless = start(chosen, true, { ...generous, cpuSeconds: 1 });
    ask(endless, ['spin']);
    expect(await endless.ended).toMatch(/^it was terminated by SIG(KILL|XCPU)/u);
  });
});

/** Starts the probe as the launcher starts a runner, with or without Node's permission model. */
function start({ mechanism }: ChosenIsolation, permissions: boolean, limits = generous): SandboxProcess {
  const { command, readable } = nodeCommand({ file: probe, heapMiB: 256, packages: ['zod'], reads: [probe] });
  const kept = permissions
    ? command
    : command.filter((word) => !/^--(experimental-)?permission$|^--allow-/u.test(word));
  return startProcess(mechanism, { command: kept, readable, limits });
}

function ask(process: SandboxProcess, names: readonly string[], more: Record<string, unknown> = {}): void {
  const uids = [0, globalThis.process.getuid?.()];
  process.stdin.write(`${JSON.stringify({ names: [...new Set(names)], targets: { ...targets, uids, ...more } })}\n`);
}

async function results(
  process: SandboxProcess,
  names: readonly string[],
  more: Record<string, unknown> = {},
): Promise<Results> {
  ask(process, names, more);
  const line = await Promise.race([
    process.ended.then((how) => Promise.reject(new Error(`the probe gave no answer: ${how}`))),
    new Promise<string>((resolve) => createInterface({ input: process.stdout }).once('line', resolve)),
  ]);
  return resultsSchema.parse(JSON.parse(line));
}

async function listen(where: ListenOptions): Promise<{ port: number }> {
  const server = createServer((socket) => socket.destroy());
  cleanups.unshift(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  );
  await new Promise<void>((resolve) => server.listen(where, resolve));
  const address: AddressInfo | string | null = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0 };
}
