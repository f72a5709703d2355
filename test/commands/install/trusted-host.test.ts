import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AdoptedHook } from '../../../src/commands/install/manifest.js';
import { requireTrustedHooks } from '../../../src/commands/install/require-trusted-host.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { noOtherUser, otherUser } from '../../support/other-user.js';
import { temporaryFolder, writeScript } from '../../support/temp.js';

/** Runs shell commands where /etc is an empty folder of their own. */
function inOtherEtc(commands: string): SpawnSyncReturns<string> {
  const script = `set -e; mount -t tmpfs -o mode=755 none /etc; mkdir -p /etc/hookvisor /etc/libvirt/hooks
    echo root:x:0:0::/root:/bin/sh > /etc/passwd; echo root:x:0: > /etc/group\n${commands}`;
  const env = { PATH: process.env['PATH'], HOME: '/root', HOOKVISOR: join(packageRoot, 'dist/commands/main.js') };
  return spawnSync('unshare', ['-m', 'sh', '-c', script], { env, cwd: '/', encoding: 'utf8', timeout: 60_000 });
}

function noMounts(): string | null {
  if (noOtherUser !== null) return noOtherUser;
  const { status, stderr, error } = inOtherEtc('true');
  return status === 0 ? null : `nothing can be mounted here: ${error?.message ?? stderr}`;
}
const unmounted = noMounts();
const node = `'${process.execPath}' "$HOOKVISOR"`;
const config = `printf 'version: 1\\njournal: false\\nsandbox: { require: process }\\n' > /etc/hookvisor/hookvisor.yaml`;

describe.skipIf(unmounted !== null)(`on a host whose settings others may change (${unmounted ?? 'as root'})`, () => {
  const spoil = `${config}
    touch /etc/hookvisor/fallback; chown ${otherUser} /etc/hookvisor/fallback
    echo 'script /etc/hookvisor/fallback' > /etc/hookvisor/unreachable; chmod 666 /etc/hookvisor/unreachable
    echo '{"version":1,"files":[],"folders":[],"adopted":[],"toldMs":null}' > /etc/hookvisor/manifest.json; chown ${otherUser} /etc/hookvisor/manifest.json`;
  const listed = [
    "policy: '/etc/hookvisor/unreachable' belongs to root (uid 0) and has mode 0666: everybody may change it",
    `policy script: '/etc/hookvisor/fallback' belongs to uid ${otherUser} and has mode 0644: its owner may change it`,
    `manifest: '/etc/hookvisor/manifest.json' belongs to uid ${otherUser} and has mode 0644: its owner may change it`,
  ];

  it.each(['check', 'doctor', 'install --dry-run', 'uninstall'])(
    "'%s' lists the policy, its script and the manifest",
    (command) => {
      const { status, stdout, stderr } = inOtherEtc(`${spoil}\n${node} ${command}`);
      for (const line of listed) expect(stdout + stderr).toContain(line);
      expect(status).not.toBe(0);
    },
  );

  it('the check and the uninstallation go on once it is mended', () => {
    const mend = `chown root: /etc/hookvisor/*; chmod go-w /etc/hookvisor/*; rm /etc/hookvisor/manifest.json`;
    const { status, stdout } = inOtherEtc(`${spoil}\n${mend}\n${node} check && ${node} uninstall --dry-run`);
    expect(stdout).toContain('valid');
    expect(status).toBe(0);
  });

  it('doctor finds a policy script that does not exist', () => {
    const { stdout } = inOtherEtc(`${config}
      printf 'script /nowhere/a script\\n' > /etc/hookvisor/unreachable
      ${node} doctor`);
    expect(stdout).toContain("the script '/nowhere/a script' is not executable, so an unreachable runtime denies");
  });

  it("does not adopt another user's hook, and leaves it where it is", () => {
    const hook = '/etc/libvirt/hooks/qemu';
    const { status, stdout, stderr } = inOtherEtc(`printf '#!/bin/sh\\nexit 1\\n' > ${hook}; chmod 755 ${hook}
      chown ${otherUser} ${hook}; ${node} install --adopt || (cat ${hook}; ls /etc/hookvisor; exit 1)`);
    expect(stderr).toContain(`adopted hook: '${hook}' belongs to uid ${otherUser}`);
    expect(stdout).toBe('#!/bin/sh\nexit 1\n');
    expect(status).toBe(1);
  });
});

describe(`hooks that are to be adopted (${noOtherUser ?? 'as root'})`, () => {
  const adopted = (from: string): AdoptedHook => ({
    ...{ from, to: `${from}.kept`, target: null, sha256: null, mode: 0o755, runs: true, uid: 0, gid: 0, mtimeMs: 0 },
  });

  it.skipIf(noOtherUser !== null)(
    "are refused when others than root may change them, this process' user or not",
    async () => {
      const dir = temporaryFolder();
      const hook = await writeScript(dir, 'qemu', 'exit 0');
      await requireTrustedHooks([adopted(hook)]);
      chmodSync(hook, 0o775);
      chownSync(hook, 0, otherUser);
      await expect(requireTrustedHooks([adopted(hook)])).rejects.toThrow(
        /has mode 0775: group gid 54321 may change it/u,
      );
    },
  );
});
