import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Artefact } from '../../src/contract/artefact.js';
import { buildAssemblyScript } from '../../src/commands/build/assemblyscript.js';
import type { Project } from '../../src/commands/build/project.js';
import { buildTypeScript } from '../../src/commands/build/typescript.js';
import { packageRoot } from '../../src/shared/paths.js';
import { builtOnce } from './build-cache.js';

/** Languages with hostile guests of their own, by the name of their folder in `test/fixtures/hostile`. */
export type HostileLanguage = 'typescript' | 'assemblyscript';

interface Built {
  readonly backend: Artefact['backend'];
  readonly language: Project['language'];
  readonly build: (project: Project) => Promise<Buffer>;
  /** The main source: it wakes the guest that the event's name names, and allows where it names none. */
  readonly main: (guests: readonly string[]) => string;
}

const languages: Readonly<Record<HostileLanguage, Built>> = {
  typescript: { backend: 'component', language: 'ts', build: buildTypeScript, main: typescriptMain },
  assemblyscript: { backend: 'extism', language: 'as', build: buildAssemblyScript, main: assemblyscriptMain },
};

/** Three are in use; the others are of other states of the sources, which may come back. */
const keptBuilds = 12;

export const backendOf = (language: HostileLanguage): Artefact['backend'] => languages[language].backend;

/** All guests of a language in one plugin, so that they are built and admitted once. */
export async function hostilePlugin(language: HostileLanguage): Promise<Buffer> {
  return fromSources(language, languages[language].main(await guestsOf(language)));
}

/** A plugin of one source in the language's folder `alone`. */
export async function lonelyPlugin(language: HostileLanguage, guest: string): Promise<Buffer> {
  return fromSources(language, `export { handle } from './alone/${guest}';\n`);
}

/** The names of a language's guests. */
export async function guestsOf(language: HostileLanguage): Promise<string[]> {
  const files = await readdir(folderOf(language));
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

function folderOf(language: HostileLanguage): string {
  return join(packageRoot, 'test', 'fixtures', 'hostile', language);
}

/** Builds once for the same sources and tools: compilers take seconds. */
async function fromSources(language: HostileLanguage, main: string): Promise<Buffer> {
  return builtOnce({
    folder: join(packageRoot, 'node_modules', '.cache', 'hookvisor-hostile'),
    key: `${await digestOf(language, main)}.wasm`,
    keep: keptBuilds,
    build: () => build(language, main),
  });
}

async function build(language: HostileLanguage, main: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'hookvisor-hostile-'));
  try {
    await cp(folderOf(language), folder, { recursive: true });
    const source = join(folder, 'main.ts');
    await writeFile(source, main);
    const { build: compile, language: code } = languages[language];
    return await compile({ folder, name: language, language: code, source, output: join(folder, 'plugin.wasm') });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a plugin is made from: its sources, what builds it, the SDK, the WIT, and the versions of the tools. */
async function digestOf(language: HostileLanguage, main: string): Promise<string> {
  const hash = createHash('sha256').update(main);
  const folders = [
    folderOf(language),
    ...['src/commands/build', 'src/guest', 'wit'].map((name) => join(packageRoot, name)),
  ];
  for (const folder of folders) {
    for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true })).sort(byPath)) {
      if (entry.isFile()) hash.update(entry.name).update(await readFile(join(entry.parentPath, entry.name)));
    }
  }
  return hash.update(await readFile(join(packageRoot, 'package-lock.json'))).digest('hex');
}

interface Entry {
  readonly parentPath: string;
  readonly name: string;
}

function byPath(a: Entry, b: Entry): number {
  return join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;
}

function typescriptMain(guests: readonly string[]): string {
  const imports = guests.map((guest, at) => `import { guest as guest${at} } from './${guest}';`);
  const table = guests.map((guest, at) => `['${guest}', guest${at}]`);
  return `import { allow, type Handler, type Outcome } from 'hookvisor/guest';
${imports.join('\n')}

const guests = new Map<string, () => Outcome>([${table.join(', ')}]);

export const handler: Handler = { handle: ({ name }) => (guests.get(name) ?? allow)() };
`;
}

function assemblyscriptMain(guests: readonly string[]): string {
  const imports = guests.map((guest, at) => `import { guest as guest${at} } from './${guest}';`);
  const calls = guests.map((guest, at) => `  if (input.includes('"name":"${guest}"')) return guest${at}();`);
  return `import { Host } from '@extism/as-pdk';
import { allow } from './lib/answer';
${imports.join('\n')}

export function handle(): i32 {
  const input = Host.inputString();
${calls.join('\n')}
  return allow();
}
`;
}
