import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { cp, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../../src/shared/paths.js';
import { hookvisor } from '../../support/command.js';
import { temporaryFolder, write, writeScript } from '../../support/temp.js';

/** A script that denies everything but `web`, with these cases. */
async function scriptWith(cases: string): Promise<string> {
  const dir = temporaryFolder();
  await writeScript(dir, 'hook', '[ "$1" = web ] && exit 0\necho "not $1" >&2\nexit 1');
  await write(dir, 'cases.yaml', `handler: { source: hook }\ncases:\n${cases}`);
  return dir;
}

const allowed = '  - { name: web is allowed, argv: [web, start, begin, "-"], expect: allow }\n';
const failing =
  '  - { name: <db> & "co", argv: [db, start, begin, "-"], expect: { outcome: deny, reason: not web } }\n';

describe('test', () => {
  it('exits with 0 when all cases hold', async () => {
    const run = await hookvisor('test', await scriptWith(allowed));
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toMatch(/cases\.yaml\n {2}✓ web is allowed [\d.]+ ms\n\n1 passed in [\d.]+ s\n$/u);
  });

  it('exits with 1 and shows the difference and its place when one does not', async () => {
    const run = await hookvisor('test', await scriptWith(allowed + failing));
    expect(run.status).toBe(1);
    expect(run.out).toMatch(
      /✗ <db> & "co" [\d.]+ ms\n.*cases\.yaml:4\n {6}reason \(- expected \+ actual\)\n {8}- not web\n {8}\+ not db\n/u,
    );
    expect(run.out).toContain('1 failed, 1 passed');
  });

  it('exits with 2 on a mistake in a case, before anything runs', async () => {
    const dir = await scriptWith('  - { name: a, argv: [web, start], expect: perhaps }\n');
    const run = await hookvisor('test', dir);
    expect(run).toMatchObject({ status: 2, out: '' });
    expect(run.err).toContain(`${dir}/cases.yaml:3:36 cases[0].expect: 'perhaps' is not a valid value`);
  });

  it('says what is missing where there is nothing to test', async () => {
    expect((await hookvisor('test', '/none')).err).toContain("Cannot test '/none': there is no such file or folder");
    const dir = temporaryFolder();
    await write(dir, 'cases.yaml', `cases:\n${allowed}`);
    const run = await hookvisor('test', dir);
    expect(run.status).toBe(2);
    expect(run.err).toContain('names no handler, and the folder is not a project; add handler: { source: PATH }');
  });

  it('reports as TAP', async () => {
    const { out } = await hookvisor('test', await scriptWith(allowed + failing), '--reporter', 'tap');
    expect(out).toMatch(
      /^TAP version 14\n# .*cases\.yaml\nok 1 - web is allowed\n {2}---\n {2}duration_ms: [\d.]+\n {2}\.\.\.\n/u,
    );
    expect(out).toMatch(/\nnot ok 2 - <db> & "co"\n {2}---\n {2}at: .*:4\n/u);
    expect(out).toMatch(/\n1\.\.2\n$/u);
  });

  it('reports as JUnit', async () => {
    const { out } = await hookvisor('test', await scriptWith(allowed + failing), '--reporter', 'junit');
    expect(out).toContain('tests="2" failures="1"');
    expect(out).toContain('<testcase name="&lt;db&gt; &amp; &quot;co&quot;"');
    expect(out).toContain('<failure message="reason: expected not web, found not db">');
  });

  it('reports as JSON', async () => {
    const { out } = await hookvisor('test', await scriptWith(failing), '--json');
    expect(JSON.parse(out)).toMatchObject({
      passed: 0,
      failed: 1,
      cases: [{ line: 3, differences: [{ what: 'reason', expected: 'not web', actual: 'not db' }], outcome: 'deny' }],
    });
  });

  it('--update writes what happens, keeps comments, and then all cases hold', async () => {
    const dir = await scriptWith(`  # stays\n${failing}`);
    const run = await hookvisor('test', dir, '--update');
    expect(run.status).toBe(0);
    expect(run.err).toContain('updated 1 expectation(s)');
    const text = await readFile(join(dir, 'cases.yaml'), 'utf8');
    expect(text).toContain('# stays');
    expect(text).toContain('expect: { outcome: deny, reason: not db }');
    expect((await hookvisor('test', dir)).status).toBe(0);
  });

  it('--watch tests again at a change, and ends when told', async () => {
    const dir = await scriptWith(allowed);
    const child = spawn(process.execPath, [join(packageRoot, 'dist/commands/main.js'), 'test', dir, '--watch']);
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    await expect.poll(() => out, { timeout: 30_000 }).toContain('1 passed');
    await writeFile(join(dir, 'cases.yaml'), `handler: { source: hook }\ncases:\n${allowed}${failing}`);
    await expect.poll(() => out, { timeout: 30_000 }).toContain('1 failed, 1 passed');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }, 90_000);

  it('warns when a source is newer than the plug-in, which does not need a compiler', async () => {
    const dir = temporaryFolder();
    const sample = join(packageRoot, 'plugins', 'tiny-allow');
    for (const name of ['plugin.yaml', 'cases.yaml', 'tiny-allow.wat', 'build/tiny-allow.wasm']) {
      await cp(join(sample, name), join(dir, name));
    }
    const built = await hookvisor('test', dir);
    expect(built).toMatchObject({ status: 0 });
    await write(dir, 'README.md', 'Documentation is no source.');
    const output = join(dir, 'build', 'tiny-allow.wasm');
    await utimes(output, new Date(), new Date(Date.now() + 1_000));
    expect((await hookvisor('test', dir)).err).toBe('');
    await utimes(output, new Date(), new Date(Date.now() - 60_000));
    await write(dir, 'tiny-allow.wat', await readFile(join(dir, 'tiny-allow.wat'), 'utf8'));
    expect((await hookvisor('test', dir)).err).toBe(
      `warning: 'tiny-allow.wat' has changed since 'build/tiny-allow.wasm' was built; the cases test the old plug-in. Add --build\n`,
    );
    expect((await hookvisor('test', dir, '--build')).err).not.toContain('warning');
  });

  it('a row with settings: {} has none, whatever its case has', async () => {
    const dir = temporaryFolder();
    const naming = join(packageRoot, 'plugins/naming/build/naming.wasm');
    const matrix = '[{ settings: {}, expect: allow }, { expect: { outcome: deny, reason: /web/ } }]';
    const one = `{ name: a, argv: [db, prepare, begin, "-"], settings: { pattern: ^web }, matrix: ${matrix} }`;
    await write(dir, 'cases.yaml', `handler: { source: ${naming} }\ncases:\n  - ${one}\n`);
    expect(await hookvisor('test', dir)).toMatchObject({ status: 0, err: '' });
  });

  it('accepts pluginSize among the limits of a case', async () => {
    const dir = temporaryFolder();
    const naming = join(packageRoot, 'plugins/naming/build/naming.wasm');
    const refused = '{ limits: { pluginSize: 1MiB }, expect: { refused: /at most 1048576 are allowed/ } }';
    const one = `{ name: a, argv: [db, prepare, begin, "-"], matrix: [${refused}, { expect: allow }] }`;
    await write(dir, 'cases.yaml', `handler: { source: ${naming} }\ncases:\n  - ${one}\n`);
    expect((await hookvisor('test', dir)).out).toContain('2 passed');
  });
});
