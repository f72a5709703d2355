import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { handlerName } from '../../runtime/config/schema.js';
import { codeOf } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { packageRoot } from '../../shared/paths.js';
import { version } from '../../runtime/version.js';
import { projectPackage } from './author-packages.js';
import type { Language } from './project.js';

interface Template {
  readonly source: string;
  readonly backend: 'component' | 'extism';
  /** Fuel limit in the first case: several times what it consumes. */
  readonly fuel: string;
  /** What the handler does; completes a sentence that starts with "It". */
  readonly claim: string;
  /** Settings in the example configuration. */
  readonly settings: string;
  /** The failure of a plug-in in this language when it meets something that it cannot handle. */
  readonly failure: string;
}

const vcpus = { claim: 'denies domains with more virtual CPUs than `maxVcpus`', settings: '{ maxVcpus: 4 }' };

const templates: Readonly<Record<Language, Template>> = {
  ts: { source: 'src/handler.ts', backend: 'component', fuel: '50_000', failure: 'trap', ...vcpus },
  as: {
    source: 'assembly/index.ts',
    backend: 'extism',
    fuel: '50_000',
    failure: 'trap',
    claim: 'denies domains whose name has more characters than `maxLength`',
    settings: '{ maxLength: 32 }',
  },
  c: { source: 'src/handler.c', backend: 'component', fuel: '20_000', failure: 'trap', ...vcpus },
  rust: { source: 'src/lib.rs', backend: 'component', fuel: '50_000', failure: 'trap', ...vcpus },
  go: { source: 'main.go', backend: 'component', fuel: '20_000_000', failure: 'trap', ...vcpus },
  wat: {
    source: 'src/handler.wat',
    backend: 'component',
    fuel: '20_000',
    failure: 'trap',
    claim: 'denies domains whose name is longer than 63 bytes',
    settings: '{}',
  },
};

const folder = join(packageRoot, 'templates');
const guestDeclarations = ['guest/types/hookvisor.d.ts', 'dist/guest/index.d.ts', 'dist/guest/seeded-random.d.ts'];
const typesFolder = join('types', 'hookvisor');

/**
 * Creates a project in a new or empty folder and names it after the folder. Returns its files, sorted by name. Throws
 * HookvisorError `usage` when the folder is not empty or its name is not valid for a handler.
 */
export async function newProject(target: string, language: Language): Promise<string[]> {
  const name = basename(resolve(target));
  if (!handlerName.test(name)) {
    throw new HookvisorError(
      'usage',
      `Cannot create the project '${target}': '${name}' is not a valid name; use letters, digits, '.', '_' and '-'`,
    );
  }
  await assertEmpty(target);
  const files = new Map([
    ...(await filesOf('common')),
    ...(await filesOf(language)),
    ['package.json', projectPackage(name, language)] as const,
    ...(language === 'ts' ? await typesOf() : []),
  ]);
  try {
    for (const [path, text] of files) {
      const file = join(target, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, filled(text, { name, ...templates[language] }), { flag: 'wx' });
    }
  } catch (error) {
    throw new HookvisorError(
      'usage',
      `Cannot create the project '${target}': ${messageOf(error)}; specify another folder`,
      {
        cause: error,
      },
    );
  }
  return [...files.keys()].sort();
}

async function assertEmpty(target: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(target);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return;
    const what = code === 'ENOTDIR' ? 'a file of that name exists' : messageOf(error);
    throw new HookvisorError('usage', `Cannot create the project '${target}': ${what}; specify another folder`, {
      cause: error,
    });
  }
  if (names.length === 0) return;
  throw new HookvisorError(
    'usage',
    `Cannot create the project '${target}': the folder is not empty; specify another folder, or empty it`,
  );
}

/** Reads the declarations of the SDK: editors and `tsc` then need no Hookvisor in the project. */
async function typesOf(): Promise<[string, string][]> {
  const declared = await Promise.all(
    guestDeclarations.map(async (file): Promise<[string, string]> => [
      join(typesFolder, basename(file)),
      await readFile(join(packageRoot, file), 'utf8'),
    ]),
  );
  // The declarations of the WIT are in another folder of the package.
  return declared.map(([path, text]) => [path, text.replace(/^\/\/\/ <reference .*\n/u, '')]);
}

/** Reads the files of a template. npm does not package `.gitignore`, so it is stored without the dot. */
async function filesOf(template: string): Promise<[string, string][]> {
  const root = join(folder, template);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (file): Promise<[string, string]> => [
      relative(root, file).replace(/^gitignore$/u, '.gitignore'),
      await readFile(file, 'utf8'),
    ]),
  );
}

function filled(text: string, values: Template & { readonly name: string }): string {
  const all: Readonly<Record<string, string>> = { ...values, version };
  return text.replaceAll(/__([A-Z]+)__/gu, (whole, key: string) => all[key.toLowerCase()] ?? whole);
}
