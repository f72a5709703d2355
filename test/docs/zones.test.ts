import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/shared/paths.js';

/** What the linter says of one import in one file. */
async function refused(filePath: string, imported: string): Promise<boolean> {
  const configured: unknown = await new ESLint({ cwd: packageRoot }).calculateConfigForFile(filePath);
  const { rules } = z
    .object({ rules: z.looseObject({ 'no-restricted-imports': z.array(z.unknown()) }) })
    .parse(configured);
  const [, ...options] = rules['no-restricted-imports'];
  const alone = new ESLint({
    cwd: packageRoot,
    overrideConfigFile: true,
    overrideConfig: { rules: { 'no-restricted-imports': ['error', ...options] } },
  });
  const [result] = await alone.lintText(`import '${imported}';\n`, { filePath: filePath.replace(/ts$/u, 'js') });
  return result?.messages.some(({ ruleId }) => ruleId === 'no-restricted-imports') ?? false;
}

/** Which zones may import from which, as docs/source.md says. */
const may: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  shared: ['contract'],
  admission: ['contract', 'shared'],
  runner: ['contract', 'shared'],
  client: [],
  guest: [],
  runtime: ['contract', 'shared'],
  testing: ['contract', 'shared', 'runtime'],
  commands: ['contract', 'shared', 'client', 'runtime', 'testing'],
};

describe('the linter', () => {
  it('knows every zone of src', () => {
    const found = readdirSync(join(packageRoot, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(may).sort());
  });

  it.each(Object.entries(may))('lets src/%s import from its zones only: %j', async (zone, open) => {
    for (const other of Object.keys(may).filter((name) => name !== zone)) {
      const said = await refused(`src/${zone}/file.ts`, `../${other}/x.js`);
      expect({ other, refused: said }).toEqual({ other, refused: !open.includes(other) });
      expect(await refused(`src/${zone}/folder/file.ts`, `../../${other}/x.js`)).toBe(!open.includes(other));
    }
  });

  it.each([
    ['src/runtime/config/file.ts', '../journal/x.js', true],
    ['src/runtime/journal/file.ts', '../config/x.js', false],
    ['src/admission/wasm/file.ts', '../fuel/x.js', true],
    ['src/client/main.ts', 'zod', true],
    ['src/client/main.ts', '../contract/verdict.js', true],
    ['src/client/main.ts', '../contract/framing.js', false],
    ['src/client/main.ts', 'node:net', false],
    ['src/contract/framing.ts', 'zod', true],
    ['src/contract/unreachable-policy.ts', 'node:fs', true],
    ['src/runner/main.ts', 'binaryen', true],
  ])('in %s, is %s refused: %j', async (file, imported, expected) => {
    expect(await refused(file, imported)).toBe(expected);
  });
});
