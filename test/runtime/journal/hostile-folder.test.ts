import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { defaultJournal } from '../../../src/runtime/config/defaults.js';
import { keepHouse } from '../../../src/runtime/journal/housekeeping.js';
import { openJournal } from '../../../src/runtime/journal/journal.js';
import { openTail } from '../../../src/runtime/journal/tail.js';
import { verifyJournal } from '../../../src/runtime/journal/verify.js';
import { hookvisor } from '../../support/command.js';
import { entryOf, eventsIn, openTestJournal } from '../../support/journal.js';
import { asOtherUser, noOtherUser, otherUid, sharedFolder } from '../../support/shared-folder.js';
import { temporaryFolder } from '../../support/temp.js';

const segment = '00000001.jsonl';
const secret = 'root:x:0:0::/root:/bin/sh\n';

const open = async (dir: string): Promise<void> => {
  const journal = await openJournal({ ...defaultJournal, dir }, () => undefined);
  await journal.append(entryOf({ document: '<domain/>' }));
  await journal[Symbol.asyncDispose]();
};

/** What somebody may leave in a folder for the runtime to write through; `sh` makes it, with the victim as $1. */
const traps = [
  ['a link in the place of the key', 'ln -s "$1" key', 'key', 'it is a symbolic link'],
  ['a link in the place of the lock', 'ln -s "$1" lock', 'lock', 'it is a symbolic link'],
  ['a link in the place of a segment', `ln -s "$1" ${segment}`, segment, 'it is a symbolic link'],
  [
    'a torn segment beside a link in the place of what is cut off',
    `printf 'chosen bytes' > ${segment}; ln -s "$1" 00000001.torn`,
    '00000001.torn',
    'it is a symbolic link',
  ],
  ['a pipe in the place of a segment', `mkfifo ${segment}`, segment, 'it is not a regular file'],
  ['a pipe in the place of the key', `mkfifo key`, 'key', 'it is not a regular file'],
  ['a pipe in the place of the lock', `mkfifo lock`, 'lock', 'it is not a regular file'],
] as const;

/** A file that must stay as it is. */
function victimIn(dir: string): { path: string; isUntouched: () => void } {
  const path = join(dir, 'victim');
  // As of a user whose name ends with no line feed: a torn segment.
  writeFileSync(path, secret.trim(), { mode: 0o600 });
  const { mtimeMs } = statSync(path);
  return {
    path,
    isUntouched: () => {
      expect(readFileSync(path, 'utf8')).toBe(secret.trim());
      expect(statSync(path)).toMatchObject({ mtimeMs, mode: 0o100600 });
    },
  };
}

describe('a journal folder that somebody else made', () => {
  it.skipIf(noOtherUser !== null).each(traps)('with %s is refused, and nothing is written', async (_, script) => {
    const dir = join(sharedFolder(), 'journal');
    const victim = victimIn(temporaryFolder());
    asOtherUser(`mkdir '${dir}'; cd '${dir}'; set -- '${victim.path}'; ${script}`);
    await expect(open(dir)).rejects.toMatchObject({
      code: 'untrusted',
      message:
        `Cannot use '${dir}': it belongs to user ${otherUid} and has mode 0755: other users can change its content; ` +
        `move it away: mv ${dir} ${dir}.untrusted`,
      fields: { path: dir, uid: otherUid, mode: '0755' },
    });
    victim.isUntouched();
  });

  it.skipIf(noOtherUser !== null).each([
    ['journal', ['journal']],
    ['journal --json', ['journal', '--json']],
    ['journal --follow', ['journal', '--follow']],
    ['journal verify', ['journal', 'verify']],
    ['replay', ['replay', '--handler', 'x', '--plugin', 'x.wasm']],
  ])('is not read by %s, which says whose it is and what to do', async (_, args) => {
    const dir = join(sharedFolder(), 'journal');
    asOtherUser(`mkdir '${dir}'; cd '${dir}'; mkfifo ${segment}`);
    const { status, err, out } = await hookvisor(...args, dir);
    expect(status).toBe(2);
    expect(err + out).toContain(`Cannot use '${dir}': it belongs to user ${otherUid} and has mode 0755`);
    expect(err + out).toContain(`mv ${dir} ${dir}.untrusted`);
  });

  it.skipIf(noOtherUser !== null)('is told of by doctor', async () => {
    const shared = sharedFolder();
    const dir = join(shared, 'journal');
    asOtherUser(`mkdir '${dir}'; cd '${dir}'; mkfifo ${segment}`);
    const config = join(temporaryFolder(), 'hookvisor.yaml');
    writeFileSync(config, `version: 1\njournal: { dir: ${dir} }\n`);
    const { out, err } = await hookvisor('doctor', '--config', config);
    expect(out + err).toContain(`Cannot use '${dir}': it belongs to user ${otherUid}`);
  });
});

describe('a journal folder of our own', () => {
  it.each(traps)('with %s is refused, and nothing is written', async (_, script, name, why) => {
    const dir = temporaryFolder();
    const victim = victimIn(temporaryFolder());
    execFileSync('/bin/sh', ['-ec', script, 'sh', victim.path], { cwd: dir });
    await expect(open(dir)).rejects.toMatchObject({
      code: 'untrusted',
      message: expect.stringMatching(
        new RegExp(`^Cannot use '${dir}/${name}': .*${why}; remove it: rm ${dir}/${name}$`, 'u'),
      ) as string,
    });
    victim.isUntouched();
  });

  it.each(['key', 'lock', segment])(
    'with a second name of another file in the place of %s is refused, and nothing is written',
    async (name) => {
      const dir = temporaryFolder();
      const victim = victimIn(dir);
      linkSync(victim.path, join(dir, name));
      const path = join(dir, name);
      await expect(open(dir)).rejects.toMatchObject({
        code: 'untrusted',
        message: expect.stringContaining(
          `it has 2 names (hard links), so it may be the file of another user; make sure that it is yours, then replace it by a ` +
            `copy: cp -p ${path} ${path}.copy && mv ${path}.copy ${path}`,
        ) as string,
      });
      victim.isUntouched();
    },
  );

  it.skipIf(noOtherUser !== null).each(['key', 'lock', segment])(
    'with a %s of somebody else is refused',
    async (name) => {
      const dir = temporaryFolder();
      writeFileSync(join(dir, name), 'x');
      chownSync(join(dir, name), otherUid, otherUid);
      await expect(open(dir)).rejects.toMatchObject({
        message: expect.stringMatching(/belongs to user 65534 .*then run: chown root: /u) as string,
      });
    },
  );

  it.each(['key', 'lock', segment])('with a %s that others may write is refused', async (name) => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, name), 'x');
    chmodSync(join(dir, name), 0o622);
    await expect(open(dir)).rejects.toMatchObject({
      message: expect.stringContaining(
        `has mode 0622: other users can change it; run: chmod go-w ${dir}/${name}`,
      ) as string,
    });
  });

  it.each([
    [0o777, 'other users can change its content; run: chmod go-w DIR'],
    [0o770, 'other users can change its content; run: chmod go-w DIR'],
    [0o1777, 'other users can add files to it; specify a separate folder that only USER can write to'],
  ])('of mode %o is refused by writers and readers', async (mode, why) => {
    const dir = temporaryFolder();
    const uid = process.getuid?.() ?? 0;
    const user = uid === 0 ? 'root' : String(uid);
    chmodSync(dir, mode);
    const octal = mode.toString(8).padStart(4, '0');
    const error = {
      code: 'untrusted',
      message:
        `Cannot use '${dir}': it belongs to user ${uid} and has mode ${octal}: ` +
        why.replace('DIR', dir).replace('USER', user),
    };
    await expect(open(dir)).rejects.toMatchObject(error);
    await expect(verifyJournal(dir)).rejects.toMatchObject(error);
  });

  it('that is reached through a link is refused, with a slash at its end as well', async () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, 'real'));
    const link = join(dir, 'link');
    symlinkSync('real', link);
    const message = `Cannot use '${link}': it is a symbolic link; specify the folder that it points to`;
    for (const path of [link, `${link}/`]) {
      await expect(open(path)).rejects.toMatchObject({ code: 'untrusted', message });
      await expect(verifyJournal(path)).rejects.toMatchObject({ code: 'untrusted', message });
    }
  });

  it('is read by no reader through what is not its own file', async () => {
    const dir = temporaryFolder();
    const victim = victimIn(temporaryFolder());
    for (const [name, make] of [
      [
        'link',
        () => {
          symlinkSync(victim.path, join(dir, 'link', segment));
        },
      ],
      ['pipe', () => execFileSync('mkfifo', [join(dir, 'pipe', segment)])],
      [
        'second',
        () => {
          linkSync(victim.path, join(dir, 'second', segment));
        },
      ],
      [
        'packed',
        () => {
          symlinkSync(victim.path, join(dir, 'packed', `${segment}.gz`));
        },
      ],
    ] as const) {
      mkdirSync(join(dir, name));
      make();
      const refused = { code: 'untrusted', message: expect.stringContaining(`/${name}/${segment}`) as string };
      await expect(verifyJournal(join(dir, name))).rejects.toMatchObject(refused);
      await expect(eventsIn(join(dir, name))).rejects.toMatchObject(refused);
      await expect((async () => (await openTail(join(dir, name), 'start')).read())()).rejects.toMatchObject(refused);
    }
  });

  it('is compressed into a file of its own, whatever stands in its place', async () => {
    const dir = temporaryFolder();
    const victim = victimIn(temporaryFolder());
    await open(dir);
    symlinkSync(victim.path, join(dir, `${segment}.gz.part`));
    await keepHouse(dir, 2, { maxBytes: 2 ** 30, maxAgeMs: 1e9 });
    victim.isUntouched();
    expect(await verifyJournal(dir)).toMatchObject({ bad: null, events: 1 });
    expect(statSync(join(dir, `${segment}.gz`))).toMatchObject({ nlink: 1, mode: 0o100600 });
  });

  it('may be readable by others, as for those who look after it', async () => {
    const dir = temporaryFolder();
    chmodSync(dir, 0o755);
    const { journal } = await openTestJournal(dir);
    await journal.append(entryOf());
    chmodSync(join(dir, segment), 0o644);
    await sleep(1);
    expect(await verifyJournal(dir)).toMatchObject({ bad: null, events: 1 });
  });
});
