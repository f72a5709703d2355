import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lookUp } from '../../src/runtime/libvirt/catalog.js';
import { packageRoot } from '../../src/shared/paths.js';
import { readCases } from '../../src/testing/cases.js';
import { loadPlugin, type PluginOptions } from '../../src/testing/plugin.js';
import { runCases } from '../../src/testing/run-cases.js';
import { captures } from '../support/captures.js';

const folder = join(packageRoot, 'plugins');
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'cases.yaml')));
const built = (name: string): string => join(folder, name, 'build', `${name}.wasm`);

/** Settings with which a handler objects to as much as it can. */
const strictest: Readonly<Record<string, NonNullable<PluginOptions['settings']>>> = {
  naming: { pattern: '^$', titleRequired: true },
  quota: { maxMemoryMiB: 1 },
  'device-guard': { folders: [] },
  'maintenance-window': { inside: 'allow', utcOffset: '+00:00', windows: ['Mon 00:00-00:01'] },
  'migration-rewrite': { cpuModels: { qemu64: 'qemu32' } },
  'required-metadata': { title: true },
  'network-guard': { networks: {} },
};

/** One recorded call of each operation. */
const operations = captures.filter(
  ({ driver, argv }, at) => captures.findIndex((one) => one.driver === driver && one.argv[1] === argv[1]) === at,
);

const absent = (name: string): string => `${name} is not built: it is written in C, and clang is not installed`;

describe('the sample handlers', () => {
  it.for(names)('%s does what its cases say', { timeout: 120_000 }, async (name, ctx) => {
    if (!existsSync(built(name)) && name === 'maintenance-window') ctx.skip(absent(name));
    const { cases } = await readCases(join(folder, name, 'cases.yaml'));
    const results = await runCases(cases, { file: built(name), grants: ['replace'] });
    expect(results.length).toBeGreaterThan(0);
    const wrong = results.filter(({ differences }) => differences.length > 0);
    expect(wrong.map((one) => ({ case: one.case.name, differences: one.differences }))).toEqual([]);
  });

  it.for(Object.keys(strictest))(
    '%s, as strict as can be, denies only where that ends the operation',
    { timeout: 60_000 },
    async (name, ctx) => {
      if (!existsSync(built(name)) && name === 'maintenance-window') ctx.skip(absent(name));
      await using plugin = await loadPlugin({ file: built(name), settings: strictest[name] ?? {} });
      const objections = new Set<string>();
      for (const { driver, argv, stdin } of operations) {
        const { outcome, failure } = await plugin.handle({ driver, argv, document: stdin });
        expect({ argv, failure }).toEqual({ argv, failure: null });
        if (outcome === 'allow') continue;
        const [, event = '', qualifier = ''] = argv;
        const operation = lookUp({ driver, event, qualifier });
        expect({ argv, works: outcome === 'deny' ? operation?.effect : operation?.filter }).toEqual({
          argv,
          works: outcome === 'deny' ? 'aborts' : true,
        });
        objections.add(`${driver} ${event}`);
      }
      // No recorded domain has a device to be guarded.
      expect(objections.size > 0).toBe(name !== 'device-guard');
    },
  );
});
