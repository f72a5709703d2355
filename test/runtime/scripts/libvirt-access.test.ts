import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { libvirtAccessProblem, socketFolderIn, withoutLibvirt } from '../../../src/runtime/scripts/libvirt-access.js';
import { createScriptBackend } from '../../../src/runtime/scripts/script.js';
import type { Evaluation } from '../../../src/contract/outcome.js';
import { configOf, eventOf } from '../../support/handlers.js';
import { temporaryFolder, write, writeScript } from '../../support/temp.js';

const scripts = createScriptBackend();

const isRoot = process.geteuid?.() === 0;
const problem = await libvirtAccessProblem();

afterAll(() => scripts[Symbol.asyncDispose]());

describe('libvirtAccess: deny where it cannot be kept', () => {
  it('is refused when the configuration is loaded', async (ctx) => {
    if (problem === null) ctx.skip('mount namespaces work here; a plain user runs this');
    const source = await writeScript(temporaryFolder(), 'script', 'exit 0');
    await expect(scripts.load(configOf({ source, libvirtAccess: 'deny' }))).rejects.toMatchObject({
      code: 'plugin-unreadable',
      message: expect.stringMatching(/libvirtAccess: deny cannot be kept here: .*; run as root/) as string,
    });
  });
});

/** Runs a script of root's as a handler. */
async function run(body: string): Promise<Evaluation> {
  const source = await writeScript(temporaryFolder(), 'script', body);
  const handler = await scripts.load(configOf({ source, libvirtAccess: 'deny' }));
  return handler.evaluate({ event: eventOf({ name: 'a "b" $c --' }), document: Buffer.from('<domain/>') });
}

function skipUnlessKept(ctx: TestContext): void {
  if (!isRoot || problem !== null) ctx.skip(`needs root and mount namespaces: ${problem ?? 'not root'}`);
}

describe('libvirtAccess: deny', () => {
  beforeEach(skipUnlessKept);

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
    const source = await write(temporaryFolder(), 'script', '#!/nonexistent/sh\n');
    chmodSync(source, 0o755);
    const handler = await scripts.load(configOf({ source, libvirtAccess: 'deny' }));
    await expect(handler.evaluate({ event: eventOf(), document: null })).rejects.toMatchObject({
      failure: 'unavailable',
    });
  });
});

/** A user without rights, and a command that this user runs. */
const user = 65_534;
const asUser = (script: string): readonly [string, readonly string[]] => [
  'setpriv',
  [`--reuid=${String(user)}`, `--regid=${String(user)}`, '--clear-groups', 'sh', '-euc', script],
];

/** A folder with a random name, which the user owns; gone after the test. */
function folderOfUser(parent: string): string {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'hookvisor-test-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  chmodSync(folder, 0o755);
  execFileSync('chown', [`${String(user)}:${String(user)}`, folder]);
  return folder;
}

/** A folder of root's with what a guard reads, and a script that allows only when it can read it. */
function guarded(): { data: string; guard: string } {
  const data = mkdtempSync('/var/lib/hookvisor-test-');
  onTestFinished(() => {
    rmSync(data, { recursive: true });
  });
  chmodSync(data, 0o755);
  writeFileSync(join(data, 'denied'), 'a\n');
  return { data, guard: `[ -s '${data}/denied' ] && [ -e /etc/passwd ] && [ -e /usr/bin ] && [ -d /var/lib ]` };
}

describe('a user without rights', () => {
  beforeEach(skipUnlessKept);

  const places = [
    ['~/.cache/libvirt', '/home', (to: string): string => `mkdir .cache; ln -s '${to}' .cache/libvirt`],
    ['~/.cache', '/home', (to: string): string => `mkdir x; ln -s '${to}' x/libvirt; ln -s x .cache`],
    ['libvirt in the runtime folder', '/run/user', (to: string): string => `ln -s '${to}' libvirt`],
  ] as const;
  const targets = ['/usr', '/etc', '/var/lib', 'the data of a guard'] as const;

  it.each(places.flatMap(([what, parent, plant]) => targets.map((target) => ({ what, parent, plant, target }))))(
    'cannot hide $target from a script by a link at $what',
    async ({ parent, plant, target }) => {
      const { data, guard } = guarded();
      const cwd = folderOfUser(parent);
      execFileSync(...asUser(plant(target.startsWith('/') ? target : data)), { cwd });
      expect((await run(guard)).outcome).toEqual({ outcome: 'allow' });
    },
  );

  it('cannot hide it either by swapping a folder and a link all the time', async () => {
    const { data, guard } = guarded();
    const cwd = folderOfUser('/home');
    const swap = `mkdir .cache .cache/libvirt; ln -s '${data}' .cache/link; echo ready
      while :; do mv -T .cache/libvirt .cache/folder; mv -T .cache/link .cache/libvirt
        mv -T .cache/libvirt .cache/link; mv -T .cache/folder .cache/libvirt; done`;
    const [file, args] = asUser(swap);
    const swapping = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(swapping, 'close');
    try {
      await once(swapping.stdout, 'data');
      for (let round = 0; round < 50; round++) expect((await run(guard)).outcome).toEqual({ outcome: 'allow' });
    } finally {
      swapping.kill('SIGKILL');
      await ended;
    }
  });

  /** Runs `test` where `folder` is one that libvirt is configured to use. */
  async function hiding(folder: string, test: string): Promise<{ status: number | null; said: string }> {
    const { file, args } = withoutLibvirt({ file: '/bin/sh', args: ['-c', test] }, [folder]);
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, said };
  }

  it.each([
    ['a link of the user', (data: string): string => `ln -s '${data}' sockets`],
    ['a folder of the user', (): string => 'mkdir sockets'],
    ['a link above it', (data: string): string => `ln -s '${data}/..' up; ln -s up/x sockets`],
  ])('cannot aim what libvirt is configured to use: %s is refused, and no script runs', async (_, plant) => {
    const { data, guard } = guarded();
    const cwd = folderOfUser('/home');
    execFileSync(...asUser(plant(data)), { cwd });
    const { status, said } = await hiding(join(cwd, 'sockets'), guard);
    expect(status).toBe(125);
    expect(said).toMatch(
      /^without-libvirt: cannot hide '.*sockets': 'hookvisor-test-\w+' on its path does not belong to root/,
    );
  });

  it('is not relied on where anybody may use a name first: a folder in /tmp is refused, even one of root', async () => {
    const { guard } = guarded();
    const folder = mkdtempSync('/tmp/hookvisor-test-');
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const { status, said } = await hiding(folder, guard);
    expect(status).toBe(125);
    expect(said).toContain("'tmp' on its path does not belong to root, or other users may write to it");
  });

  it('cannot own the folder itself: it is refused', async () => {
    const { data, guard } = guarded();
    const folder = join(data, 'sockets');
    mkdirSync(folder);
    execFileSync('chown', [String(user), folder]);
    expect((await hiding(folder, guard)).status).toBe(125);
  });

  it('cannot aim a folder in one that everybody may write to by a link', async () => {
    const { data, guard } = guarded();
    const link = `/tmp/hookvisor-test-link-${String(process.pid)}`;
    execFileSync(...asUser(`ln -s '${data}' '${link}'`));
    onTestFinished(() => {
      rmSync(link);
    });
    expect((await hiding(link, guard)).status).toBe(125);
  });
});

describe('a folder that libvirt is configured to use', () => {
  beforeEach(skipUnlessKept);

  it.each([
    ['a folder of root', ''],
    ['reached by an absolute link of root', 'absolute'],
    ['reached by a relative link of root', 'relative'],
  ])('is hidden: %s', (_, link) => {
    const { data } = guarded();
    const name = link === '' ? data : join(data, 'link');
    if (link !== '') symlinkSync(link === 'absolute' ? data : `../${data.slice('/var/lib/'.length)}`, name);
    const { file, args } = withoutLibvirt({ file: '/bin/ls', args: ['-A', data] }, ['/no/such', name]);
    expect(execFileSync(file, args, { encoding: 'utf8' })).toBe('');
    expect(existsSync(join(data, 'denied'))).toBe(true);
  });
});

describe('the folder of sockets in the configuration of a daemon', () => {
  it.each([
    ['unix_sock_dir = "/srv/libvirt"\n', '/srv/libvirt'],
    ["listen_tls = 0\n  unix_sock_dir='/srv/libvirt' # ours\n", '/srv/libvirt'],
    ['#unix_sock_dir = "/run/libvirt"\n', null],
    ['unix_sock_dir = "relative"\n', null],
    ['', null],
  ])('%j is %j', (text, folder) => {
    expect(socketFolderIn(text)).toBe(folder);
  });
});
