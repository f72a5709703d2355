import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { invalidConfig } from '../runtime/config/config-error.js';
import { readYaml, type YamlText } from '../runtime/config/yaml.js';
import { HookvisorError, messageOf } from '../contract/errors.js';

/** A YAML file: its text and its validated value. */
export interface YamlFile<T> {
  readonly file: string;
  readonly text: string;
  readonly value: T;
  readonly place: YamlText['place'];
}

/**
 * Reads and validates a YAML file. `what` names its purpose in messages. Throws HookvisorError `usage` when it cannot
 * be read, and ConfigError `config-invalid`, which lists every mistake with its line.
 */
export async function readYamlFile<S extends z.ZodType>(
  file: string,
  { schema, what }: { schema: S; what: string },
): Promise<YamlFile<z.output<S>>> {
  const text = await readText(file, what);
  const { value, problems, place } = readYaml(text);
  if (value === undefined) throw invalidConfig(file, problems, what);
  const checked = schema.safeParse(value ?? {});
  if (!checked.success || problems.length > 0) {
    const issues = checked.error?.issues ?? [];
    throw invalidConfig(file, [...problems, ...issues.map(({ path, message }) => place({ path, message }))], what);
  }
  return { file, text, value: checked.data, place };
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new HookvisorError('usage', `Cannot read the ${what} '${file}': ${messageOf(error)}; correct the path`, {
      cause: error,
      fields: { file },
    });
  }
}
