import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { noOtherUser, otherUser } from '../support/other-user.js';
import { temporaryFolder, write, writeScript } from '../support/temp.js';
import { clients } from './run-hook.js';

beforeAll(() => {
  execFileSync(process.execPath, [join(packageRoot, 'scripts/build-native.mjs')]);
});

interface Opened {
  readonly what: string;
  readonly open: (policy: string, script: string) => void;
  readonly why: string;
}

const everybody: Opened[] = [
  {
    what: 'its policy has mode 0666',
    open: (policy) => {
      chmodSync(policy, 0o666);
    },
    why: 'which can be changed by other users; run chown root',
  },
  {
    what: 'everybody may write a policy that cannot be understood, whose deadline does not count',
    open: (policy) => {
      writeFileSync(policy, 'deadline 0.001\nnonsense\n');
      chmodSync(policy, 0o666);
    },
    why: 'which can be changed by other users',
  },
  {
    what: 'its policy has mode 0664, as one with an access control list may have',
    open: (policy) => {
      chmodSync(policy, 0o664);
    },
    why: 'which can be changed by other users',
  },
  {
    what: "its policy's script has mode 0777",
    open: (_, script) => {
      chmodSync(script, 0o777);
    },
    why: 'which names a script that other users can change',
  },
];

const others: Opened[] = [
  {
    what: 'another group may write to its policy',
    open: (policy) => {
      chmodSync(policy, 0o664);
      chownSync(policy, 0, otherUser);
    },
    why: 'which can be changed by other users',
  },
  {
    what: "its policy is another user's",
    open: (policy) => {
      chownSync(policy, otherUser, otherUser);
    },
    why: 'which can be changed by other users',
  },
  {
    what: "its policy's script is another user's",
    open: (_, script) => {
      chownSync(script, otherUser, otherUser);
    },
    why: 'which names a script that other users can change',
  },
];

describe.each(clients)('$label', ({ file }) => {
  const claim = async ({ open, why }: Opened): Promise<void> => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'fallback', 'exit 0');
    const policy = await write(dir, 'unreachable', `script ${script}\ndeadline 20\n`);
    const run = (): { status: number | null; stderr: string } =>
      spawnSync(join(packageRoot, 'dist', file), ['vm', 'start', 'begin', '-'], {
        env: { PATH: process.env['PATH'], HOOKVISOR_SOCKET: join(dir, 'none'), HOOKVISOR_UNREACHABLE: policy },
        ...{ argv0: 'qemu', stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', timeout: 30_000 },
      });
    expect(run()).toMatchObject({ status: 0 });
    open(policy, script);
    const denied = run();
    expect(denied.stderr).toContain(why);
    expect(denied.status).toBe(1);
  };

  it.each(everybody)('denies when $what', claim);
  describe.skipIf(noOtherUser !== null)(`with another user's files (${noOtherUser ?? 'as root'})`, () => {
    it.each(others)('denies when $what', claim);
  });
});
