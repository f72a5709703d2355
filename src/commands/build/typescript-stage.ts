import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../shared/paths.js';

/** The JavaScript of a plug-in. */
export interface CompiledTypeScript {
  /** Source text by path below the project. */
  readonly files: Readonly<Record<string, string>>;
  /** Path of the module that exports `handler`. */
  readonly main: string;
  /** Whether it also exports `configurable`. */
  readonly validates: boolean;
}

/** The input of QuickJS: every module by path, and the entry module. */
export interface Stage {
  readonly sources: Readonly<Record<string, string>>;
  readonly entry: string;
}

/** Path of the SDK below the folder from which QuickJS resolves imports. */
const sdk = 'node_modules/hookvisor';

const guestModules = ['index.js', 'seeded-random.js', 'event-random.js', 'tell-thrown.js'];

/**
 * Adds the SDK to the modules of the plug-in, and an entry module that seeds `Math.random` from the event id and logs
 * what the handler throws. The generator is installed before the first module of the plug-in runs, so that code which
 * keeps a reference to the function gets the seeded one.
 */
export async function stageOf({ files, main, validates }: CompiledTypeScript): Promise<Stage> {
  const guest: Record<string, string> = {};
  for (const name of guestModules) {
    guest[`${sdk}/guest/${name}`] = await readFile(join(packageRoot, 'dist', 'guest', name), 'utf8');
  }
  const entry = `${sdk}/entry.js`;
  const own = JSON.stringify(`../../${main}`);
  const sources = {
    ...files,
    ...guest,
    [`${sdk}/package.json`]: JSON.stringify({ type: 'module', exports: { './guest': './guest/index.js' } }),
    [`${sdk}/seed.js`]: seedModule,
    [entry]: `${entryModule(own)}${validates ? `export { configurable } from ${own};\n` : ''}`,
  };
  return { sources, entry };
}

const seedModule = `import { seedByEvent } from './guest/event-random.js';
export const seed = seedByEvent(Math);
`;

function entryModule(own: string): string {
  return `import { seed } from './seed.js';
import { tellThrown } from './guest/tell-thrown.js';
import { handler as own } from ${own};
export const handler = {
  handle(event) {
    seed(event.id);
    return tellThrown(() => own.handle(event));
  },
};
`;
}
