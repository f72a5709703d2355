import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/contract/limits.js';
import { packageRoot } from '../../src/shared/paths.js';
import { admitPlugin } from '../../src/admission/admit.js';
import { encodeArtefact } from '../../src/contract/artefact-codec.js';
import { asOtherUser, noOtherUser, otherUser } from '../support/other-user.js';
import { componentBytes } from '../support/plugins.js';
import { samplePlugin } from '../support/runtime.js';
import { temporaryFolder, write, writeScript } from '../support/temp.js';

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line, as root or as somebody else. */
function hookvisor(args: readonly string[], user: { uid?: number; gid?: number; home?: string } = {}): Run {
  const { home = temporaryFolder(), ...ids } = user;
  return spawnSync(process.execPath, [join(packageRoot, 'dist/commands/main.js'), ...args], {
    ...ids,
    ...{ cwd: '/', encoding: 'utf8', timeout: 60_000 },
    env: { PATH: process.env['PATH'], HOME: home },
  });
}

const emit = (
  config: string,
  ...user: Parameters<typeof hookvisor> extends [unknown, ...infer Rest] ? Rest : never
): Run => hookvisor(['emit', '--config', config, 'domain', 'web', 'start', 'begin'], ...user);

const head = 'version: 1\njournal: false\ncache: cache\nsandbox: { require: process }\n';
const routed = (handler: string): string =>
  `${head}handlers: { site: { failurePolicy: fail, ${handler} } }\nroutes: [ { match: {}, handlers: [site] } ]\n`;
const script = (source: string, more = ''): string => routed(`backend: script, source: ${source}${more}`);

/** A script that leaves a trace when it runs. */
const ranScript = (dir: string, name: string): Promise<string> => writeScript(dir, name, `touch ${dir}/ran`);
const ran = (dir: string): boolean => readdirSync(dir).includes('ran');

describe.skipIf(noOtherUser !== null)(`what others may change (${noOtherUser ?? 'as root'})`, () => {
  it("does not run: another user's script with mode 0777, from a configuration with mode 0666", async () => {
    const dir = temporaryFolder();
    chmodSync(dir, 0o755);
    const source = await ranScript(dir, 'site');
    const config = await write(dir, 'hookvisor.yaml', script('site'));
    chmodSync(source, 0o777);
    chownSync(source, otherUser, otherUser);
    chmodSync(config, 0o666);
    const refused = emit(config);
    expect(refused.stderr).toContain(`configuration: '${config}' belongs to root (uid 0) and has mode 0666`);
    expect(refused.stderr).toContain(`run 'chmod go-w ${config}'`);
    chmodSync(config, 0o644);
    const still = emit(config);
    expect(still.stderr).toContain(`handlers.site: '${source}' belongs to uid 54321 and has mode 0777`);
    expect(still.stderr).toContain(`run 'chown root: ${source} && chmod go-w ${source}'`);
    expect([refused.status, still.status, ran(dir)]).toEqual([2, 2, false]);
    chownSync(source, 0, 0);
    chmodSync(source, 0o755);
    expect([emit(config).status, ran(dir)]).toEqual([0, true]);
  });

  const spoilt: [string, (dir: string) => void][] = [
    [
      'a script below a folder with mode 0777',
      (dir) => {
        chmodSync(join(dir, 'scripts'), 0o777);
      },
    ],
    [
      'a script below a folder of another user',
      (dir) => {
        chownSync(join(dir, 'scripts'), otherUser, otherUser);
      },
    ],
    [
      "another user's link in a sticky folder, to a good script",
      (dir) => {
        chmodSync(join(dir, 'scripts'), 0o1777);
        rmSync(join(dir, 'scripts/site'));
        asOtherUser(
          `import fs from 'node:fs'; fs.symlinkSync(process.argv[1], process.argv[2])`,
          `${dir}/good`,
          `${dir}/scripts/site`,
        );
      },
    ],
    [
      'a script whose interpreter is of another user',
      (dir) => {
        chownSync(join(dir, 'sh'), otherUser, otherUser);
      },
    ],
    [
      "a script whose interpreter's interpreter is of another user",
      (dir) => {
        writeFileSync(join(dir, 'inner'), readFileSync('/bin/sh'), { mode: 0o755 });
        chownSync(join(dir, 'inner'), otherUser, otherUser);
        rmSync(join(dir, 'sh'));
        writeFileSync(join(dir, 'sh'), `#!${dir}/inner\n`, { mode: 0o755 });
      },
    ],
    [
      "a script whose interpreter, named from '/', is of another user",
      (dir) => {
        chownSync(join(dir, 'sh'), otherUser, otherUser);
        writeFileSync(join(dir, 'scripts/site'), `#!${dir.slice(1)}/sh\ntouch ${dir}/ran\n`);
      },
    ],
    [
      "a script that root's group may write to, as an access control list shows",
      (dir) => {
        chmodSync(join(dir, 'scripts/site'), 0o775);
      },
    ],
    [
      'the folder of the cache with mode 0777',
      (dir) => {
        mkdirSync(join(dir, 'cache'));
        chmodSync(join(dir, 'cache'), 0o777);
      },
    ],
  ];
  it.each(spoilt)('does not run: %s', async (_, spoil) => {
    const dir = temporaryFolder();
    chmodSync(dir, 0o755);
    mkdirSync(join(dir, 'scripts'));
    await ranScript(dir, 'good');
    symlinkSync('/bin/sh', join(dir, 'real-sh'));
    await write(dir, 'sh', readFileSync('/bin/sh'));
    chmodSync(join(dir, 'sh'), 0o755);
    await write(dir, 'scripts/site', `#!${dir}/sh\ntouch ${dir}/ran\n`);
    chmodSync(join(dir, 'scripts/site'), 0o755);
    const config = await write(dir, 'hookvisor.yaml', script('scripts/site'));
    expect([emit(config).status, ran(dir)]).toEqual([0, true]);
    rmSync(join(dir, 'ran'));
    spoil(dir);
    const { status, stderr } = emit(config);
    expect([status, ran(dir)]).toEqual([2, false]);
    expect(stderr).toMatch(/other users can change files that Hookvisor runs or trusts/u);
  });

  it("does not run: a tree in which one guest's folder is of another user", async () => {
    const dir = temporaryFolder();
    await ranScript(dir, 'tree/web/start/begin/10');
    chownSync(join(dir, 'tree/web'), otherUser, otherUser);
    const config = await write(dir, 'hookvisor.yaml', script('tree', ', layout: tree'));
    const { status, stderr } = emit(config);
    expect(stderr).toContain(`handlers.site: '${join(dir, 'tree/web')}' belongs to uid 54321`);
    expect([status, ran(dir)]).toEqual([2, false]);
  });

  it('is listed by check, all at once and once each, the untrusted configuration included', async () => {
    const dir = temporaryFolder();
    await ranScript(dir, 'scripts/a');
    await ranScript(dir, 'scripts/b');
    mkdirSync(join(dir, 'journal'), { mode: 0o777 });
    for (const path of ['scripts', 'journal']) chmodSync(join(dir, path), 0o777);
    chownSync(join(dir, 'scripts/b'), otherUser, otherUser);
    await write(dir, 'naming.wasm', readFileSync(samplePlugin('naming')));
    chmodSync(join(dir, 'naming.wasm'), 0o666);
    const config = await write(
      dir,
      'hookvisor.yaml',
      `version: 1\njournal: { dir: journal }\ncache: cache\nhandlers:
  a: { backend: script, source: scripts/a, failurePolicy: fail }
  b: { backend: script, source: scripts/b, failurePolicy: fail }
  c: { backend: component, source: naming.wasm, failurePolicy: fail }\n`,
    );
    chmodSync(config, 0o666);
    const { status, stdout } = hookvisor(['check', '--config', config, '--json']);
    const { valid, problems } = JSON.parse(stdout) as { valid: boolean; problems: string[] };
    expect({ status, valid }).toEqual({ status: 1, valid: false });
    expect(problems.map((line) => line.replaceAll(dir, ''))).toEqual([
      "configuration: '/hookvisor.yaml' belongs to root (uid 0) and has mode 0666: everybody may change it; run 'chmod go-w /hookvisor.yaml'",
      "journal.dir: '/journal' belongs to root (uid 0) and has mode 0777: everybody may change it; run 'chmod go-w /journal'",
      "handlers.c: '/naming.wasm' belongs to root (uid 0) and has mode 0666: everybody may change it; run 'chmod go-w /naming.wasm'",
      "handlers.a, handlers.b: '/scripts' belongs to root (uid 0) and has mode 0777: everybody may change it; run 'chmod go-w /scripts'",
      "handlers.b: '/scripts/b' belongs to uid 54321 and has mode 0755: its owner may change it; run 'chown root: /scripts/b'",
    ]);
    for (const problem of problems) {
      const command = /run '(.*)'$/u.exec(problem)?.[1] ?? '';
      expect(spawnSync('sh', ['-c', command]).status).toBe(0);
    }
    expect(hookvisor(['check', '--config', config]).stdout).toContain('valid');
    const doctor = JSON.parse(hookvisor(['doctor', '--config', config, '--json']).stdout) as {
      findings: { check: string; state: string; found: string }[];
    };
    const trust = doctor.findings.filter(({ check, found }) => check === 'trust' && found.includes(dir));
    expect(trust).toEqual([]);
  });

  it('is listed by doctor', async () => {
    const dir = temporaryFolder();
    const source = await ranScript(dir, 'site');
    chownSync(source, otherUser, otherUser);
    const config = await write(dir, 'hookvisor.yaml', script('site'));
    const { status, stdout } = hookvisor(['doctor', '--config', config]);
    expect(status).toBe(1);
    expect(stdout).toContain(`fail  trust: handlers.site: '${source}' belongs to uid 54321`);
    expect(stdout).toContain(`      run 'chown root: ${source}'`);
    expect(stdout).toContain("correct what the check 'trust' lists");
  });

  it('keeps the configuration in force at a reload', async () => {
    const dir = temporaryFolder();
    const { createRuntime, configFrom } = await import('../../src/runtime/runtime.js');
    const config = await write(dir, 'hookvisor.yaml', head);
    await using runtime = await createRuntime({ log: () => undefined, load: configFrom(config) });
    const source = await ranScript(dir, 'site');
    chmodSync(source, 0o777);
    await write(dir, 'hookvisor.yaml', script('site'));
    await expect(runtime.reload()).rejects.toMatchObject({ code: 'untrusted' });
    expect(runtime.status().handlers).toEqual([]);
    expect(runtime.status().reloads.lastError).toContain(`'chmod go-w ${source}'`);
  });
});

describe(`a plain user (${noOtherUser ?? 'made by root'})`, () => {
  it.skipIf(noOtherUser !== null)(
    'whose checkout has umask 002 decides in it, plugins, cache and scripts included',
    async () => {
      const dir = temporaryFolder();
      await ranScript(dir, 'checkout/scripts/site');
      await write(dir, 'checkout/naming.wasm', readFileSync(samplePlugin('tiny-allow')));
      await write(
        dir,
        'checkout/hookvisor.yaml',
        `version: 1\njournal: false\nhandlers:
  tiny: { backend: component, source: naming.wasm, failurePolicy: fail }
  site: { backend: script, source: scripts/site, failurePolicy: fail }
routes: [ { match: {}, handlers: [tiny, site] } ]\n`,
      );
      for (const path of [
        '.',
        'checkout',
        'checkout/scripts',
        'checkout/scripts/site',
        'checkout/naming.wasm',
        'checkout/hookvisor.yaml',
      ]) {
        chmodSync(join(dir, path), statSync(join(dir, path)).mode | 0o060);
        chownSync(join(dir, path), otherUser, otherUser);
      }
      const { status, stderr } = emit(join(dir, 'checkout/hookvisor.yaml'), {
        uid: otherUser,
        gid: otherUser,
        home: dir,
      });
      expect(stderr).toContain('allowed');
      expect([status, ran(dir)]).toEqual([0, true]);
      expect(readdirSync(join(dir, '.cache/hookvisor')).some((name) => name.endsWith('.artefact'))).toBe(true);
      // Root believes nothing there.
      expect(emit(join(dir, 'checkout/hookvisor.yaml')).stderr).toContain(
        'other users can change files that Hookvisor runs or trusts',
      );
    },
  );
});

/** Why no user namespace can be made here; null when one can. */
function noUserNamespace(): string | null {
  if (noOtherUser !== null) return noOtherUser;
  const { status, stderr, error } = spawnSync('unshare', ['-Ur', 'true'], {
    ...{ uid: otherUser, gid: otherUser, encoding: 'utf8', timeout: 20_000 },
  });
  return status === 0 ? null : `a plain user cannot make user namespaces here: ${error?.message ?? stderr}`;
}
const unshared = noUserNamespace();

describe.skipIf(unshared !== null)(`in a user namespace (${unshared ?? 'made by a plain user'})`, () => {
  it("says that the host's root appears as another user, and what to do", async () => {
    const dir = temporaryFolder();
    chmodSync(dir, 0o755);
    const config = await write(dir, 'hookvisor.yaml', head);
    const words = [process.execPath, join(packageRoot, 'dist/commands/main.js'), 'check', '--config', config];
    const { status, stderr } = spawnSync('unshare', ['-Ur', ...words], {
      ...{ uid: otherUser, gid: otherUser, cwd: '/', env: {}, encoding: 'utf8', timeout: 60_000 },
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /configuration: '.*hookvisor.yaml' belongs to .*uid \d+\) and has mode 0644: its owner may change it \(this user namespace shows all unmapped owners, including the root of the host, as uid \d+\); run it outside of the user namespace, or map the owner into the namespace/u,
    );
    expect(stderr).not.toContain('chown');
  });
});

/** What a tenant would like to be believed: an artefact under the digest of a trusted plug-in, with code that denies. */
async function forgedArtefact(digest: string): Promise<Buffer> {
  const denies = await componentBytes({
    fields: '(data (i32.const 16) "forged")',
    handle: '(call $outcome (i32.const 1) (i32.const 16) (i32.const 6))',
  });
  const options = { backend: 'component', memoryBytes: defaultLimits.memoryBytes } as const;
  const artefact = await admitPlugin(denies, options);
  return encodeArtefact({ ...artefact, digest });
}

describe.skipIf(noOtherUser !== null)(`an artefact of another user's making (${noOtherUser ?? 'as root'})`, () => {
  const forge = `import fs from 'node:fs';
    import { createHash, createHmac } from 'node:crypto';
    const [folder, content, mac] = process.argv.slice(1);
    const bytes = Buffer.from(content, 'base64');
    let seal = createHash('sha256').update(bytes).digest();
    for (const name of fs.readdirSync(folder).filter((one) => one.endsWith('.artefact'))) {
      if (mac === 'own-key') {
        const key = Buffer.alloc(32, 7);
        fs.rmSync(folder + '/key', { force: true });
        fs.writeFileSync(folder + '/key', key, { mode: 0o600 });
        seal = createHmac('sha256', key).update(name.replace('.artefact', '')).update('\\0').update(bytes).digest();
      }
      fs.rmSync(folder + '/' + name);
      fs.writeFileSync(folder + '/' + name, Buffer.concat([seal, bytes]), { mode: 0o644 });
    }`;

  it.each(['digest', 'own-key'])(
    'does not decide, neither while the cache is open to others nor after (%s)',
    async (mac) => {
      const dir = temporaryFolder();
      chmodSync(dir, 0o755);
      const plugin = readFileSync(samplePlugin('tiny-allow'));
      const digest = createHash('sha256').update(plugin).digest('hex');
      const source = samplePlugin('tiny-allow');
      const config = await write(
        dir,
        'hookvisor.yaml',
        routed(`backend: component, source: ${source}, sha256: ${digest}`),
      );
      const cache = join(dir, 'cache');
      expect(emit(config).status).toBe(0);

      chmodSync(cache, 0o777);
      asOtherUser(forge, cache, (await forgedArtefact(digest)).toString('base64'), mac);
      const open = emit(config);
      expect(open.stderr).not.toContain('forged');
      expect(open.status).toBe(2);
      expect(open.stderr).toContain(`cache: '${cache}' belongs to root (uid 0) and has mode 0777`);

      chmodSync(cache, 0o700);
      const mended = emit(config);
      expect(mended.stderr).not.toContain('forged');
      expect(mended.stderr).toContain('allowed');
      expect(mended.status).toBe(0);
      // It was admitted again, under a key of root's, and is whole from then on.
      expect(statSync(join(cache, 'key'))).toMatchObject({ uid: 0, size: 32 });
      expect(emit(config).stderr).not.toContain('admitted again');
    },
  );
});
