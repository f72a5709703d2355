import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/paths.js';
import { readCases } from '../../src/testing/cases.js';
import { loadPlugin } from '../../src/testing/plugin.js';
import { runCases } from '../../src/testing/run-cases.js';
import { effectOf, takesDocument } from '../../src/libvirt/catalog.js';
import { captures } from '../support/captures.js';

const folder = join(packageRoot, 'plugins');
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'cases.yaml')));
const built = (name: string): string => join(folder, name, 'build', `${name}.wasm`);

/** Settings with which a handler objects to as much as it can. */
const strictest: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  naming: { pattern: '^$', titleRequired: true },
  quota: { maxMemoryMiB: 1 },
  'device-guard': { folders: [] },
  'maintenance-window': { inside: 'allow', utcOffset: '+00:00', windows: ['Mon 00:00-00:01'] },
  'migration-rewrite': { cpuModels: { qemu64: 'qemu32' } },
  'required-metadata': { title: true },
  'network-guard': { networks: {} },
};

const absent = (name: string): string => `${name} is not built: it is written in C, and clang is not installed`;

describe('the sample handlers', () => {
  it.each(names)(
    '%s does what its cases say',
    async (name, ctx) => {
      if (!existsSync(built(name)) && name === 'maintenance-window') ctx.skip(absent(name));
      const { cases } = await readCases(join(folder, name, 'cases.yaml'));
      const results = await runCases(cases, { file: built(name), grants: ['replace'] });
      expect(results.length).toBeGreaterThan(0);
      const wrong = results.filter(({ differences }) => differences.length > 0);
      expect(wrong.map((one) => ({ case: one.case.name, differences: one.differences }))).toEqual([]);
    },
    120_000,
  );
});
