import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { libvirtAccessProblem } from '../../src/backends/libvirt-access.js';
import { scriptBackend } from '../../src/backends/script.js';
import type { Evaluation } from '../../src/outcome.js';
import { configOf, eventOf } from '../support/handlers.js';
import { temporaryFolder, write, writeScript } from '../support/temp.js';

const isRoot = process.geteuid?.() === 0;
const problem = await libvirtAccessProblem();

afterAll(() => scriptBackend[Symbol.asyncDispose]());

describe('libvirtAccess: deny where it cannot be kept', () => {
  it('is refused when the configuration is loaded', async (ctx) => {
    if (problem === null) ctx.skip('mount namespaces work here; a plain user runs this');
    const source = await writeScript(temporaryFolder(), 'script', 'exit 0');
    await expect(scriptBackend.load(configOf({ source, libvirtAccess: 'deny' }))).rejects.toMatchObject({
      code: 'plugin-unreadable',
      message: expect.stringMatching(/libvirtAccess: deny cannot be kept here: .*; run as root/) as string,
    });
  });
});

describe('libvirtAccess: deny', () => {
  beforeEach((ctx) => {
    if (!isRoot || problem !== null) ctx.skip(`needs root and mount namespaces: ${problem ?? 'not root'}`);
  });

  async function run(body: string): Promise<Evaluation> {
    const source = await writeScript(temporaryFolder(), 'script', body);
    const handler = await scriptBackend.load(configOf({ source, libvirtAccess: 'deny' }));
    return handler.evaluate({ event: eventOf({ name: 'a "b" $c --' }), document: Buffer.from('<domain/>') });
  }

  it("hides libvirt's folder from the script and from nobody else", async () => {
    const existed = existsSync('/run/libvirt');
    const marker = `hookvisor-test-${String(process.pid)}`;
    mkdirSync('/run/libvirt', { recursive: true });
    writeFileSync(join('/run/libvirt', marker), '');
    try {
      const { outcome, logs } = await run(
        `ls -A /run/libvirt | wc -l >&2; touch /run/libvirt/x 2>/dev/null && exit 1; exit 0`,
      );
      expect(outcome).toEqual({ outcome: 'allow' });
      expect(logs.map(({ message }) => message)).toEqual(['0']);
      expect(existsSync(join('/run/libvirt', marker))).toBe(true);
    } finally {
      rmSync(existed ? join('/run/libvirt', marker) : '/run/libvirt', { recursive: true });
    }
  });

  it('passes arguments, document and exit status on', async () => {
    const { outcome } = await run(`printf '%s,' "$@" >&2; cat >&2; exit 9`);
    expect(outcome).toEqual({ outcome: 'deny', reason: 'a "b" $c --,prepare,begin,-,<domain/>' });
  });

  it('does not take an exit status of the script for its own trouble', async () => {
    expect((await run('echo no >&2; exit 126')).outcome).toEqual({ outcome: 'deny', reason: 'no' });
  });

  it('cannot decide when the interpreter is missing', async () => {
    const dir = temporaryFolder();
    const source = await write(dir, 'script', '#!/nonexistent/sh\n');
    const { chmodSync } = await import('node:fs');
    chmodSync(source, 0o755);
    const handler = await scriptBackend.load(configOf({ source, libvirtAccess: 'deny' }));
    await expect(handler.evaluate({ event: eventOf(), document: null })).rejects.toMatchObject({
      failure: 'unavailable',
    });
  });
});
