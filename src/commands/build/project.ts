import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { expected, mapping, word } from '../../runtime/config/mapping.js';
import { HookvisorError } from '../../contract/errors.js';
import { handlerName } from '../../runtime/config/schema.js';
import { readYamlFile } from '../../testing/yaml-file.js';

/** Languages in which a plug-in can be written. */
export const languages = ['ts', 'as', 'c', 'rust', 'go', 'wat'] as const;
export type Language = (typeof languages)[number];

/** The file that defines a project. */
export const projectFile = 'plugin.yaml';

/** A plug-in project; paths are absolute. */
export interface Project {
  readonly folder: string;
  readonly name: string;
  readonly language: Language;
  /** The main source file. */
  readonly source: string;
  /** The .wasm file to build. */
  readonly output: string;
}

const path = (missing: string) =>
  z.string({ error: expected({ wrong: 'is not a path; write the path of a file', missing }) }).min(1);

const projectSchema = mapping({
  name: z
    .string({ error: expected({ wrong: 'is not a name', missing: 'write the name of the plug-in' }) })
    .regex(handlerName, {
      error: expected({ wrong: "is not a name; write letters, digits, '.', '_' and '-', at most 64 of them" }),
    }),
  language: word(languages, `write one of ${languages.join(', ')}`),
  source: path('write the path of the main source file'),
  output: path('write the path of the .wasm file').optional(),
});

/**
 * Reads a project. Throws HookvisorError `usage` when the folder is not a project, ConfigError with line and column
 * when its file contains mistakes.
 */
export async function readProject(folder: string): Promise<Project> {
  const file = join(folder, projectFile);
  if (!(await isFile(file))) {
    throw new HookvisorError(
      'usage',
      `Cannot build '${folder}': it is not a project because it has no ${projectFile}; ` +
        `specify a project folder, or create one with 'hookvisor new'`,
      { fields: { folder } },
    );
  }
  const { value, place } = await readYamlFile(file, { schema: projectSchema, what: 'project' });
  const source = resolve(folder, value.source);
  if (!(await isFile(source))) {
    const { line, column } = place({ path: ['source'], message: '' });
    const where = `${file}:${line}:${column} source`;
    throw new HookvisorError(
      'usage',
      `Cannot build '${folder}': ${where}: there is no file '${source}'; correct the path`,
    );
  }
  const output = resolve(folder, value.output ?? join('build', `${value.name}.wasm`));
  return { folder: resolve(folder), name: value.name, language: value.language, source, output };
}

/** Tells whether a folder is a project. */
export async function isProject(folder: string): Promise<boolean> {
  return isFile(join(folder, projectFile));
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}
