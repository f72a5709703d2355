import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readAccounts } from '../../../src/runtime/files/accounts.js';
import { type Distrust, distrustRemedy, distrustText } from '../../../src/runtime/files/distrust.js';
import { openTrusted } from '../../../src/runtime/files/open-trusted.js';
import { type Allowance, createPathTrust } from '../../../src/runtime/files/path-trust.js';
import { trustedOwner } from '../../../src/runtime/files/trusted-owner.js';
import { temporaryFolder } from '../../support/temp.js';

const isRoot = process.getuid?.() === 0;
/** Somebody else: no account has this number. */
const other = 54_321;

/** Makes files below a folder; of a link its target is given, of a folder null. */
interface Entry {
  readonly path: string;
  readonly text?: string | null;
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

function make(dir: string, entries: readonly Entry[]): void {
  for (const { path, text = '', target, mode, uid = -1, gid = uid } of entries) {
    const at = join(dir, path);
    mkdirSync(dirname(at), { recursive: true });
    if (target !== undefined) {
      symlinkSync(target.replace('DIR', dir), at);
      if (uid >= 0) lchownSync(at, uid, gid);
      continue;
    }
    if (text === null) mkdirSync(at, { recursive: true });
    else writeFileSync(at, text);
    if (uid >= 0 || gid >= 0) chownSync(at, uid < 0 ? (process.getuid?.() ?? 0) : uid, gid < 0 ? 0 : gid);
    if (mode !== undefined) chmodSync(at, mode);
  }
}

/** What is wrong with DIR/a/b/file, a path and its problem each. */
async function problems(dir: string, path = 'a/b/file', allowance: Allowance = {}): Promise<string[]> {
  const { distrust } = await createPathTrust().examine(join(dir, path), allowance);
  return distrust.map((one) => {
    const who = [...(one.owner ? ['owner'] : []), ...(one.writers === 'none' ? [] : [one.writers])];
    return `${one.path.replace(dir, '').slice(1)}: ${one.vacant ? 'vacant' : who.join('+')}`;
  });
}

const file = (fields: Partial<Entry> = {}): Entry => ({ path: 'a/b/file', ...fields });

describe('a path', () => {
  it.each<[string, Entry[], string[]]>([
    ["of this user's with modes 0755 and 0644", [file({ mode: 0o644 })], []],
    ['whose file everybody may write to', [file({ mode: 0o666 })], ['a/b/file: everybody']],
    ['whose folder everybody may write to', [file(), { path: 'a/b', text: null, mode: 0o777 }], ['a/b: everybody']],
    [
      'whose uppermost folder everybody may write to',
      [file(), { path: 'a', text: null, mode: 0o757 }],
      ['a: everybody'],
    ],
    ["that is sticky above, and then this user's", [file(), { path: 'a', text: null, mode: 0o1777 }], []],
    [
      'with several problems, which are all told',
      [file({ mode: 0o622 }), { path: 'a', text: null, mode: 0o777 }],
      ['a: everybody', 'a/b/file: everybody'],
    ],
    ['with a link into a folder', [{ path: 'real/file' }, { path: 'a/b', target: '../real' }], []],
    [
      'with a link into a folder that everybody may write to',
      [{ path: 'real/deep/file' }, { path: 'real', text: null, mode: 0o777 }, { path: 'a/b', target: 'DIR/real/deep' }],
      ['real: everybody'],
    ],
    [
      'with a link that goes up from where it really is',
      [
        { path: 'x/y/z/q' },
        { path: 'x/file' },
        { path: 'x/y', text: null, mode: 0o777 },
        { path: 'a/b', target: '../x/y/..' },
      ],
      ['x/y: everybody'],
    ],
    ['that does not exist', [], []],
    [
      'that does not exist in a folder where everybody may create it',
      [{ path: 'a', text: null, mode: 0o1777 }],
      ['a/b: vacant'],
    ],
    ['with a link to nowhere', [{ path: 'a/b', target: '/nonexistent/x' }], []],
    [
      'with links in a ring',
      [
        { path: 'a/b', target: 'c' },
        { path: 'a/c', target: 'b' },
      ],
      [],
    ],
  ])('%s', async (_, entries, expected) => {
    const dir = temporaryFolder();
    make(dir, entries);
    expect(await problems(dir)).toEqual(expected);
  });

  it('is walked as the kernel does where it goes up after a link', async () => {
    const dir = temporaryFolder();
    make(dir, [
      { path: 'x/y/z' },
      { path: 'x/file', mode: 0o666 },
      { path: 'a/file' },
      { path: 'a/b', target: '../x/y' },
    ]);
    const { real, distrust } = await createPathTrust().examine(`${dir}/a/b/../file`);
    expect([real, distrust.length]).toEqual([join(dir, 'x/file'), 1]);
  });

  it('whose end is a sticky folder is refused, but where single entries of it are used', async () => {
    const dir = temporaryFolder();
    make(dir, [{ path: 'a', text: null, mode: 0o1777 }]);
    expect(await problems(dir, 'a')).toEqual(['a: everybody']);
    expect(await problems(dir, 'a', { sticky: true })).toEqual([]);
  });
});

describe.skipIf(!isRoot)("a path with somebody else's files (needs root to make them)", () => {
  it.each<[string, Entry[], string[]]>([
    ['whose file is theirs', [file({ uid: other })], ['a/b/file: owner']],
    ['whose file is theirs, mode 0777', [file({ uid: other, mode: 0o777 })], ['a/b/file: owner+everybody']],
    ['whose folder is theirs', [file(), { path: 'a', text: null, uid: other }], ['a: owner']],
    [
      'with their file in a sticky folder',
      [file({ uid: other }), { path: 'a/b', text: null, mode: 0o1777 }],
      ['a/b/file: owner'],
    ],
    [
      'with their link in a sticky folder, to a good file',
      [{ path: 'good' }, file({ target: 'DIR/good', uid: other }), { path: 'a/b', text: null, mode: 0o1777 }],
      ['a/b/file: owner'],
    ],
    [
      'with a sticky folder that is theirs',
      [file(), { path: 'a', text: null, mode: 0o1777, uid: other }],
      ['a: owner'],
    ],
    [
      'with a link of ours to their file',
      [{ path: 'theirs', uid: other }, file({ target: '../../theirs' })],
      ['theirs: owner'],
    ],
    ["that root's group may write to", [file({ mode: 0o664, gid: 0 })], ['a/b/file: group']],
    ['that another group may write to', [file({ mode: 0o664, gid: 4 })], ['a/b/file: group']],
    [
      'below a folder that another group may write to',
      [file(), { path: 'a', text: null, mode: 0o775, gid: 4 }],
      ['a: group'],
    ],
    ["that root's own number as a group does not excuse", [file({ mode: 0o664, gid: other })], ['a/b/file: group']],
  ])('%s', async (_, entries, expected) => {
    const dir = temporaryFolder();
    make(dir, entries);
    expect(await problems(dir)).toEqual(expected);
  });

  it("with a folder that a system's group may write to is accepted above a journal, as /var/log is, and nowhere else", async () => {
    const dir = temporaryFolder();
    make(dir, [
      { path: 'log/hookvisor', text: null },
      { path: 'log', text: null, mode: 0o775, gid: 104 },
    ]);
    expect(await problems(dir, 'log/hookvisor')).toEqual(['log: group']);
    expect(await problems(dir, 'log/hookvisor', { systemGroups: true })).toEqual([]);
    expect(await problems(dir, 'log', { systemGroups: true })).toEqual(['log: group']);
    make(dir, [{ path: 'log', text: null, mode: 0o775, gid: 1_000 }]);
    expect(await problems(dir, 'log/hookvisor', { systemGroups: true })).toEqual(['log: group']);
  });

  it('is judged for the user whose process it is', async () => {
    const dir = temporaryFolder();
    make(dir, [file({ uid: other, mode: 0o664 }), { path: 'a', text: null, uid: other, mode: 0o775 }]);
    const distrusted = async (uid: number, gid: number): Promise<number> =>
      (await createPathTrust(trustedOwner(uid, gid)).examine(join(dir, 'a/b/file'))).distrust.length;
    // umask 002 with a private group, as Debian and Fedora have it.
    expect(await distrusted(other, other)).toBe(0);
    expect(await distrusted(other, 100)).toBe(2);
    expect(await distrusted(other + 1, other + 1)).toBe(2);
    expect(await distrusted(0, 0)).toBe(2);
  });
});

describe('a group', () => {
  it("is a user's own when nobody else is in it", () => {
    expect(trustedOwner(other, other).isOwnGroup(other)).toBe(true);
    expect(trustedOwner(other, other).isOwnGroup(0)).toBe(false);
    expect(trustedOwner(other, other).isOwnGroup(other + 1)).toBe(false);
    // nobody's group has another name; root has none.
    expect(trustedOwner(65_534, 65_534).isOwnGroup(65_534)).toBe(false);
    expect(trustedOwner(0, 0).isOwnGroup(0)).toBe(false);
    expect(trustedOwner(0, 4).isOwnGroup(4)).toBe(false);
  });
});

describe('what is said of a path', () => {
  const found: Distrust = {
    path: '/srv/hooks/site',
    kind: 'file',
    ...{ uid: other, gid: 4, mode: 0o777, owner: true, writers: 'everybody' as const, vacant: false, trusted: 0 },
  };

  it('has its owner, its mode and the command that mends it', () => {
    expect(distrustText(found)).toBe(
      "'/srv/hooks/site' belongs to uid 54321 and has mode 0777: its owner and everybody may change it",
    );
    expect(distrustRemedy(found)).toBe("run 'chown root: /srv/hooks/site && chmod go-w /srv/hooks/site'");
    expect(distrustText({ ...found, owner: false, uid: 0, writers: 'group', mode: 0o664 })).toMatch(
      /^'\/srv\/hooks\/site' belongs to root \(uid 0\) and has mode 0664: group \w+ \(gid 4\) may change it$/u,
    );
    expect(distrustText({ ...found, owner: false, uid: 0, gid: 0, writers: 'group', mode: 0o664 })).toMatch(
      /: group root \(gid 0\) or an access control list may change it$/u,
    );
    expect(distrustRemedy({ ...found, writers: 'none', kind: 'link' })).toBe("run 'chown -h root: /srv/hooks/site'");
  });

  it('never tells to take /tmp from everybody, or a home from its user', () => {
    const sticky = { ...found, path: '/tmp', kind: 'folder', mode: 0o1777, owner: false, uid: 0 } as const;
    expect(distrustRemedy(sticky)).toBe('specify a separate folder instead of /tmp');
    const [account] = readAccounts();
    const home = { ...found, path: account?.home ?? '', uid: account?.uid ?? -1, kind: 'folder' } as const;
    expect(distrustRemedy(home)).toContain('move the files to a folder that belongs to root');
  });

  it('shows a hostile name as what it is, in words and in a command', () => {
    const hostile = { ...found, path: "/srv/it's\u001b[2J\u202e\nb" };
    expect(distrustText(hostile)).toContain(String.raw`'/srv/it's\x1b[2J\u202e b'`);
    expect(distrustRemedy(hostile)).toContain(String.raw`chmod go-w $'/srv/it\'s\x1b[2J\xe2\x80\xae\x0ab'`);
    expect(distrustRemedy({ ...found, path: "/srv/it's mine" })).toContain(String.raw`'/srv/it'\''s mine'`);
  });
});

describe('opening', () => {
  it('reads what was judged, refuses what others may change, and does not wait for a pipe', async () => {
    const dir = temporaryFolder();
    make(dir, [file({ text: 'good' }), { path: 'bad', mode: 0o666 }]);
    await using opened = await openTrusted(join(dir, 'a/b/file'), 'plugin', createPathTrust());
    expect(await opened.readFile('utf8')).toBe('good');
    await expect(openTrusted(join(dir, 'bad'), 'plugin', createPathTrust())).rejects.toMatchObject({
      code: 'untrusted',
    });
    await expect(openTrusted(join(dir, 'none'), 'plugin', createPathTrust())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('judges what is open, when another file has taken the place of the one that was examined', async () => {
    const dir = temporaryFolder();
    make(dir, [file({ text: 'good' })]);
    const path = join(dir, 'a/b/file');
    const trust = createPathTrust();
    expect((await trust.examine(path)).distrust).toEqual([]);
    rmSync(path);
    make(dir, [file({ text: 'bad', mode: 0o666 })]);
    await expect(openTrusted(path, 'plugin', trust)).rejects.toMatchObject({ code: 'untrusted' });
    rmSync(path);
    make(dir, [{ path: 'elsewhere' }, file({ target: '../../elsewhere' })]);
    await expect(openTrusted(path, 'plugin', trust)).rejects.toMatchObject({ code: 'ELOOP' });
  });

  it('takes a temporary folder as it is on every system', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hookvisor-test-'));
    onTestFinished(() => {
      rmSync(dir, { recursive: true });
    });
    expect((await createPathTrust().examine(dir)).distrust).toEqual([]);
  });
});
