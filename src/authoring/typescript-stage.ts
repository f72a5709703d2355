import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../paths.js';

/** A plug-in's JavaScript. */
export interface CompiledTypeScript {
  /** Text by path below the project. */
  readonly files: Readonly<Record<string, string>>;
  /** Path of the module that exports `handler`. */
  readonly main: string;
  /** Whether it exports `configurable`, too. */
  readonly validates: boolean;
}

/** What QuickJS is given: every module by its path, and which one it starts with. */
export interface Stage {
  readonly sources: Readonly<Record<string, string>>;
  readonly entry: string;
}

/** Where the SDK lies below the folder from which QuickJS resolves imports. */
const sdk = 'node_modules/hookvisor';

const guestModules = ['index.js', 'seeded-random.js', 'event-random.js', 'tell-thrown.js'];

/**
 * Puts the SDK beside the plug-in's modules, and before them an entry that seeds `Math.random` from the event's id and logs
 * what the handler throws. The generator is in place when the first module of the plug-in runs, whoever keeps the function for later.
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
