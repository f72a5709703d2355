/** What the administrator can set. */
export interface Settings {
  /** Every name must match. */
  readonly pattern: RegExp;
  /** Whether a domain needs a title. */
  readonly titleRequired: boolean;
}

const defaultPattern = '^[a-z][a-z0-9-]*$';
const keys = ['pattern', 'titleRequired'];

/** Reads the settings from their JSON text. Throws an Error that says which one is wrong and what is expected. */
export function readSettings(json: string): Settings {
  const given: unknown = JSON.parse(json);
  if (!isRecord(given)) throw new Error('the settings are not an object; write them as keys and values');
  const unknown = Object.keys(given).filter((key) => !keys.includes(key));
  if (unknown.length > 0) {
    throw new Error(`unknown setting ${unknown.map(quote).join(', ')}; expected ${keys.join(' or ')}`);
  }
  const { pattern = defaultPattern, titleRequired = false } = given;
  if (typeof pattern !== 'string')
    throw new Error(`pattern is ${kindOf(pattern)}; expected a regular expression as text`);
  if (typeof titleRequired !== 'boolean') {
    throw new Error(`titleRequired is ${kindOf(titleRequired)}; expected true or false`);
  }
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
}

/** Hostile text as it may stand in a message: in quotes, escaped, short. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 63)}…` : text);
}
