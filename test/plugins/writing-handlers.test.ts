import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import createPlugin from '@extism/extism';
import { componentize } from 'componentize-qjs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { watToComponent } from '../../scripts/wat.mjs';
import { packageRoot } from '../../src/shared/paths.js';
import { temporaryFolder } from '../support/temp.js';
import { instantiatorOf } from './instantiate.js';

const run = promisify(execFile);
const guide = readFileSync(join(packageRoot, 'docs/writing-handlers.md'), 'utf8');

function example(language: string, heading: string): string {
  const chapter = guide.slice(guide.indexOf(`\n## ${heading}\n`));
  const found = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'su').exec(chapter)?.[1];
  if (found === undefined) throw new Error(`no example in '${heading}'`);
  return found;
}

const event = { id: 'e', time: 1n, kind: 'domain', name: 'x', event: 'prepare', qualifier: 'begin', driver: 'qemu' };

describe('the examples of the guide', () => {
  it('the one in WAT denies', async () => {
    const component = await watToComponent(example('wat', 'A component in WAT'), 'hook-handler');
    const { handler } = (await instantiatorOf(component))({ settings: '{}', select: () => [] });
    expect(handler.handle(event)).toEqual({ tag: 'deny', val: 'nothing starts' });
  });

  it('the one in TypeScript compares the machine type', async () => {
    const { outputText } = ts.transpileModule(example('ts', 'A component in TypeScript'), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    });
    const { component } = await componentize({
      witPath: join(packageRoot, 'wit'),
      jsSource: outputText,
      world: 'configurable-hook-handler',
      sync: true,
      stubWasi: true,
      optSize: true,
    });
    const fresh = await instantiatorOf(component);
    const decide = (machine: string): unknown =>
      fresh({ settings: '{"machine":"q35"}', select: () => [machine] }).handler.handle(event);
    expect(decide('q35')).toEqual({ tag: 'allow' });
    expect(decide('pc')).toEqual({ tag: 'deny', val: 'the machine type is pc, q35 is expected' });
    expect(() => fresh({ settings: '{}', select: () => [] }).configurable?.validate()).toThrow(
      'machine is missing; expected a machine type',
    );
  });

  it('the one in AssemblyScript goes by its setting', async () => {
    const dir = temporaryFolder();
    await writeFile(join(dir, 'closed.ts'), example('ts', 'An Extism plug-in in AssemblyScript'));
    const [asc, source, output] = ['node_modules/.bin/asc', join(dir, 'closed.ts'), join(dir, 'closed.wasm')];
    await run(
      join(packageRoot, asc),
      [
        source,
        '--outFile',
        output,
        '-Oz',
        '--runtime',
        'stub',
        '--use',
        'abort=',
        '--path',
        join(packageRoot, 'node_modules'),
      ],
      { cwd: packageRoot },
    );
    const wasm = await readFile(output);
    const call = async (name: string, config: Record<string, string>): Promise<string> => {
      const plugin = await createPlugin({ wasm: [{ data: wasm }] }, { useWasi: false, config });
      return (await plugin.call(name, '{}'))?.text() ?? '';
    };
    expect(await call('handle', { closed: 'true' })).toBe('{"outcome":"deny","reason":"this host is closed"}');
    expect(await call('handle', { closed: 'false' })).toBe('{"outcome":"allow"}');
    expect(await call('validate', { closed: 'false' })).toBe('');
    expect(await call('validate', {})).toBe('{"error":"closed must be true or false"}');
  });
});
