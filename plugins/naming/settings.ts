import { quote, settings } from 'hookvisor/guest';

/** The settings; settings.schema.json describes the same. */
export interface Settings {
  /** The pattern that every name must match. */
  readonly pattern: RegExp;
  /** Whether a domain must have a title. */
  readonly titleRequired: boolean;
}

/** Reads the settings. Throws an Error that names the wrong setting and what is expected. */
export function readSettings(): Settings {
  const { pattern = '^[a-z][a-z0-9-]*$', titleRequired = false, ...unknown } = settings();
  const [first] = Object.keys(unknown);
  if (first !== undefined) throw new Error(`unknown setting ${quote(first)}; expected pattern or titleRequired`);
  if (typeof pattern !== 'string') throw new Error('pattern must be a regular expression as text');
  if (typeof titleRequired !== 'boolean') throw new Error('titleRequired must be true or false');
  return { pattern: compile(pattern), titleRequired };
}

function compile(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`pattern ${quote(pattern)} is not a regular expression: ${why}`, { cause: error });
  }
}
