import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { handlerName } from '../config/schema.js';
import { codeOf } from '../error-code.js';
import { HookvisorError, messageOf } from '../errors.js';
import { packageRoot } from '../paths.js';
import { version } from '../version.js';
import type { Language } from './project.js';

interface Template {
  readonly source: string;
  readonly backend: 'component' | 'extism';
  /** Bound of the first case: several times what it takes. */
  readonly fuel: string;
  /** What the handler does, to follow "It". */
  readonly claim: string;
  /** Settings for the example of a configuration. */
  readonly settings: string;
  /** What becomes of a plugin in this language that meets what it cannot handle. */
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

/**
 * Makes a project in a new or empty folder, named after the folder, and gives its files in the order of their names.
 * Throws HookvisorError `usage` when the folder holds anything, or its name cannot be a handler's.
 */
export async function newProject(target: string, language: Language): Promise<string[]> {
  const name = basename(resolve(target));
  if (!handlerName.test(name)) {
    throw new HookvisorError(
      'usage',
      `Cannot make the project '${target}': '${name}' is not a name; use letters, digits, '.', '_' and '-'`,
    );
  }
  await assertEmpty(target);
  const files = new Map([...(await filesOf('common')), ...(await filesOf(language))]);
  try {
    for (const [path, text] of files) {
      const file = join(target, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, filled(text, { name, ...templates[language] }), { flag: 'wx' });
    }
  } catch (error) {
    throw new HookvisorError('usage', `Cannot make the project '${target}': ${messageOf(error)}; name another folder`, {
      cause: error,
    });
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
    const what = code === 'ENOTDIR' ? 'there is a file of that name' : messageOf(error);
    throw new HookvisorError('usage', `Cannot make the project '${target}': ${what}; name another`, { cause: error });
  }
  if (names.length === 0) return;
  throw new HookvisorError(
    'usage',
    `Cannot make the project '${target}': the folder exists and is not empty; name another, or empty it`,
  );
}

/** The files of a template; npm leaves out those called `.gitignore`, so it is stored without the dot. */
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
