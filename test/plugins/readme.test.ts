import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../src/runtime/config/load.js';
import { packageRoot } from '../../src/shared/paths.js';
import { temporaryFolder, write } from '../support/temp.js';

const folder = join(packageRoot, 'plugins');
const names = readdirSync(folder).filter((name) => statSync(join(folder, name)).isDirectory());
const index = readFileSync(join(packageRoot, 'docs/handlers.md'), 'utf8');

const schema = z.object({ properties: z.record(z.string(), z.unknown()) });
const example = z.object({ handlers: z.record(z.string(), z.object({ settings: z.record(z.string(), z.json()) })) });

describe('the README of each sample handler', () => {
  it.each(names.filter((name) => !['tiny-allow', 'audit-script'].includes(name)))(
    '%s has an example that is a configuration, with settings that the schema knows',
    async (name) => {
      const readme = readFileSync(join(folder, name, 'README.md'), 'utf8');
      const yaml = /```yaml\n(.*?)```/su.exec(readme)?.[1] ?? '';
      const file = await write(temporaryFolder(), 'hookvisor.yaml', yaml.replaceAll('plugins/', `${folder}/`));
      await loadConfig(file);
      const { settings } = example.parse(parse(yaml)).handlers[name] ?? { settings: {} };
      const file2 = readFileSync(join(folder, name, 'settings.schema.json'), 'utf8');
      const known = Object.keys(schema.parse(JSON.parse(file2)).properties);
      expect(known).toEqual(expect.arrayContaining(Object.keys(settings)));
      // The table and the index name every setting.
      for (const key of known) {
        expect(readme).toContain(`| \`${key}\` `);
        expect(index).toContain(`\`${key}\``);
      }
    },
  );

  it.each(names)('%s is in the index', (name) => {
    expect(index).toContain(`[${name}](../plugins/${name}/)`);
  });
});
