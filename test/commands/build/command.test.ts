import { execFileSync } from 'node:child_process';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hookvisor } from '../../support/command.js';
import { temporaryFolder, write } from '../../support/temp.js';

/** Why a project in this language cannot be built on this machine; null when it can. */
function missing(language: string): string | null {
  const works = (command: string, ...args: string[]): boolean => {
    try {
      execFileSync(command, args, { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  if (language === 'c' && !(works('clang', '--version') && works('wasm-ld', '--version'))) return 'needs clang and lld';
  if (language === 'go' && !works('go', 'version')) return 'needs Go 1.24 or later';
  if (language === 'rust' && !rustWithTarget()) return 'needs rustc with the target wasm32-unknown-unknown';
  return null;
}

function rustWithTarget(): boolean {
  try {
    const rustc = process.env['RUSTC'] ?? 'rustc';
    const library = execFileSync(rustc, ['--print', 'target-libdir', '--target', 'wasm32-unknown-unknown']);
    return execFileSync('ls', [library.toString().trim()], { stdio: ['ignore', 'pipe', 'ignore'] }).includes('libstd');
  } catch {
    return false;
  }
}

async function project(language: string, name = language): Promise<string> {
  const folder = join(temporaryFolder(), name);
  expect(await hookvisor('new', folder, '--language', language)).toMatchObject({ status: 0 });
  return folder;
}

describe('a new project', () => {
  it.for(['ts', 'as', 'c', 'rust', 'go', 'wat'])(
    'in %s builds, and its tests pass at once',
    { timeout: 180_000 },
    async (language, ctx) => {
      const reason = missing(language);
      const folder = await project(language);
      const build = await hookvisor('build', folder, '--json');
      if (reason !== null) {
        expect(build).toMatchObject({ status: 2, out: expect.stringContaining('install') as string });
        ctx.skip(reason);
        return;
      }
      expect(build).toMatchObject({ status: 0, err: '' });
      const test = await hookvisor('test', folder, '--json');
      expect(JSON.parse(test.out)).toMatchObject({ failed: 0 });
      expect(test.status).toBe(0);
    },
  );
});

describe('build', () => {
  it('gives the same bytes for the same source, wherever it lies', async () => {
    const digests = [];
    for (let time = 0; time < 2; time += 1) {
      const { out } = await hookvisor('build', await project('ts', 'same'), '--json');
      digests.push((JSON.parse(out) as { digest: string }).digest);
    }
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/u);
    expect(digests[1]).toBe(digests[0]);
  }, 180_000);

  it('reports a type error with file, line and column', async () => {
    const folder = await project('ts');
    await appendFile(join(folder, 'src/settings.ts'), 'export const wrong: number = "text";\n');
    const run = await hookvisor('build', folder);
    expect(run.status).toBe(1);
    expect(run.err).toMatch(/src\/settings\.ts:18:14 error TS2322: Type 'string' is not assignable to type 'number'/u);
  }, 60_000);

  it('reports a component without a handler', async () => {
    const folder = await project('ts');
    await write(folder, 'src/handler.ts', 'export const handle = 1;\n');
    const run = await hookvisor('build', folder);
    expect(run.status).toBe(1);
    expect(run.err).toContain("src/handler.ts:1:1 error: exports no 'handler'");
  }, 60_000);

  it('reports an error in WAT with file, line and column', async () => {
    const folder = await project('wat');
    await write(folder, 'src/handler.wat', '(module\n  (fnc))\n');
    const run = await hookvisor('build', folder);
    expect(run.status).toBe(1);
    expect(run.err).toMatch(/src\/handler\.wat:2:4 /u);
  }, 60_000);

  it('refuses what the runtime would refuse, and writes nothing', async () => {
    const folder = await project('wat');
    await write(folder, 'src/handler.wat', '(module (memory (export "memory") 1))\n');
    const run = await hookvisor('build', folder);
    expect(run.status).toBe(1);
    expect(run.err).toContain('it cannot be wrapped into a component');
    await expect(readFile(join(folder, 'build/wat.wasm'))).rejects.toMatchObject({ code: 'ENOENT' });
  }, 60_000);

  it('says that a folder is no project, and where a project is wrong', async () => {
    const folder = temporaryFolder();
    const none = await hookvisor('build', folder);
    expect(none).toMatchObject({ status: 2 });
    expect(none.err).toContain(`Cannot build '${folder}': it is not a project because it has no plugin.yaml`);
    await write(folder, 'plugin.yaml', 'name: x\nlanguage: typescript\nsource: a.ts\n');
    const wrong = await hookvisor('build', folder);
    expect(wrong.status).toBe(2);
    expect(wrong.err).toContain("plugin.yaml:2:1 language: 'typescript' is not a valid value");
    await write(folder, 'plugin.yaml', 'name: x\nlanguage: ts\nsource: a.ts\n');
    expect((await hookvisor('build', folder)).err).toContain('plugin.yaml:3:1 source: there is no file');
  });

  it('says what to install where a compiler is missing', async () => {
    const folder = await project('c');
    const before = process.env['CLANG'];
    process.env['CLANG'] = 'no-such-clang';
    try {
      const run = await hookvisor('build', folder);
      expect(run.status).toBe(2);
      expect(run.err).toContain(
        "'no-such-clang' is not installed; install clang and lld (on Debian: apt install clang lld)",
      );
    } finally {
      if (before === undefined) delete process.env['CLANG'];
      else process.env['CLANG'] = before;
    }
  });
});
