import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { HandlerConfig } from '../runtime/config/config.js';
import { readYaml } from '../runtime/config/yaml.js';
import { HookvisorError, messageOf } from '../contract/errors.js';

/** Every value that YAML and JSON can express and a plug-in can receive. */
const settingsSchema = z.record(z.string(), z.json());

/** Reads settings from the command line: a JSON object, or the name of a JSON or YAML file. */
export async function readSettings(given: string): Promise<HandlerConfig['settings']> {
  const inline = given.trimStart().startsWith('{');
  const text = inline ? given : await readText(given);
  const { value, problems } = readYaml(text);
  const checked = settingsSchema.safeParse(value);
  if (checked.success && problems.length === 0) return JSON.stringify(checked.data);
  const [first] = problems;
  const what =
    first === undefined ? 'they are not a mapping' : `line ${first.line}, column ${first.column}: ${first.message}`;
  const where = inline ? 'of --settings' : `'${given}'`;
  throw new HookvisorError('usage', `Cannot read the settings ${where}: ${what}; write { "key": value }`);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new HookvisorError(
      'usage',
      `Cannot read the settings '${file}': ${messageOf(error)}; write JSON that starts with {, or specify a file`,
      { cause: error },
    );
  }
}
