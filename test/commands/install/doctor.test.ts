import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, describe } from 'vitest';
import { z } from 'zod';
import { hookvisor } from '../../support/command.js';
import { temporaryFolder, write } from '../../support/temp.js';

const report = z.object({
  healthy: z.boolean(),
  findings: z.array(
    z.object({ check: z.string(), state: z.string(), found: z.string(), advice: z.string().nullable() }),
  ),
});

async function examined(root: string): Promise<{ status: number; all: string[]; healthy: boolean }> {
  const { status, out } = await hookvisor('doctor', '--root', root, '--json');
  const { healthy, findings } = report.parse(JSON.parse(out));
  for (const { state, advice } of findings) expect(advice === null).toBe(state === 'ok');
  return { status, healthy, all: findings.map(({ check, state, found }) => `${state} ${check}: ${found}`) };
}

async function installed(): Promise<string> {
  const root = temporaryFolder();
  expect(await hookvisor('install', '--root', root)).toMatchObject({ status: 0 });
  return root;
}

describe('doctor below a root', () => {
  it('finds an installation right', async () => {
    const root = await installed();
    const { status, healthy, all } = await examined(root);
    expect(all.filter((line) => !line.startsWith('ok '))).toEqual([]);
    expect(all).toContain("ok policy: an unreachable runtime means 'deny', after at most 90 s");
    expect({ status, healthy }).toEqual({ status: 0, healthy: true });
  });

  it('says that nothing is installed', async () => {
    const { status, all } = await examined(temporaryFolder());
    expect(status).toBe(1);
    expect(all).toContain("fail hooks: '/etc/libvirt/hooks' does not exist");
  });

  it('finds hooks that are not executable, of another release, missing', async () => {
    const root = await installed();
    const hooks = join(root, 'etc/libvirt/hooks');
    chmodSync(join(hooks, 'qemu'), 0o644);
    writeFileSync(join(hooks, 'lxc'), '\x7fELF HOOKVISOR_UNREACHABLE');
    const { status, all } = await examined(root);
    expect(status).toBe(1);
    expect(all).toContain("fail hooks: '/etc/libvirt/hooks/qemu' is not executable, so libvirt skips it");
    expect(all).toContain("warn hooks: '/etc/libvirt/hooks/lxc' is from another release");
    for (const name of ['qemu', 'lxc', 'daemon', 'network']) rmSync(join(hooks, name));
    expect((await examined(root)).all).toContain(
      'fail hooks: no hook is installed, so libvirt does not call Hookvisor',
    );
  });

  it('finds a configuration that cannot be used', async () => {
    const root = await installed();
    await write(root, 'etc/hookvisor/hookvisor.yaml', 'version: 2\n');
    const { status, all } = await examined(root);
    expect(status).toBe(1);
    expect(all.find((line) => line.startsWith('fail configuration'))).toContain('is not a version');
  });

  const policies = [
    ['maybe\n', 'fail'],
    ['deny\nallow\n', 'fail'],
    ['deny\ndeadline soon\n', 'fail'],
    ['# nothing\n', 'fail'],
    ['script relative\n', 'fail'],
    ['allow\ndeadline 0.5\n', 'ok'],
    ['script /etc/x\n', 'ok'],
  ] as const;
  it.each(policies)('reads the policy %j as %s', async (text, state) => {
    const root = await installed();
    await write(root, 'etc/hookvisor/unreachable', text);
    const { all } = await examined(root);
    expect(all.filter((line) => line.includes(' policy:')).map((line) => line.split(' ')[0])).toEqual([state]);
  });

  it.each(['absent', 'a folder'])('says what an unreadable policy means: %s', async (what) => {
    const root = await installed();
    const policy = join(root, 'etc/hookvisor/unreachable');
    rmSync(policy);
    if (what === 'a folder') mkdirSync(policy);
    const { all } = await examined(root);
    expect(all).toContain("warn policy: '/etc/hookvisor/unreachable' cannot be read, so an unreachable runtime denies");
  });

  it('does not wait for a policy that is a FIFO', async () => {
    const root = await installed();
    const policy = join(root, 'etc/hookvisor/unreachable');
    rmSync(policy);
    execFileSync('mkfifo', [policy]);
    const { all } = await examined(root);
    expect(all.find((line) => line.includes(' policy:'))).toMatch(/^fail .* does not say deny, allow or script, so/u);
  });

  it("warns when the client's deadline is below the longest chain's", async () => {
    const root = await installed();
    const script = 'backend: script, source: /x, deadline: 40s';
    await write(
      root,
      'etc/hookvisor/hookvisor.yaml',
      `version: 1
handlers:
  a: { ${script}, failurePolicy: { fallback: c } }
  b: { ${script}, failurePolicy: fail }
  c: { ${script}, failurePolicy: fail }
routes:
  - { match: { driver: qemu }, handlers: [a] }
  - { match: { kind: network }, handlers: [b] }
  - { match: { kind: domain }, handlers: [b, a] }
`,
    );
    const { status, all } = await examined(root);
    expect(status).toBe(0);
    expect(all).toContain('warn policy: a chain of handlers may take 120 s, but the client waits 90 s');
  });
});

it('doctor says for this host what to do about everything that is not right', { timeout: 60_000 }, async () => {
  const { status, out } = await hookvisor('doctor', '--config', '/nonexistent/hookvisor.yaml');
  expect(status).toBe(1);
  expect(out).toMatch(/^fail {2}configuration: .*it does not exist.*\n {6}correct it/mu);
  expect(out).toMatch(/^(?:ok {2}|warn) {2}libvirt: /mu);
});
