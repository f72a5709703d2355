import { settings } from 'hookvisor/guest';

/** An element that a domain's metadata must contain. */
export interface Required {
  readonly namespace: string;
  readonly name: string;
  /** The pattern that its text must match; null for any text that is not empty. */
  readonly matches: RegExp | null;
}

/** The settings; settings.schema.json describes the same. */
export interface Settings {
  readonly title: boolean;
  readonly description: boolean;
  readonly elements: readonly Required[];
}

/** Reads the settings. Throws an Error that names the wrong setting and what is expected. */
export function readSettings(): Settings {
  const { title = false, description = false, elements = [], ...unknown } = settings();
  refuseOthers(unknown, 'title, description or elements');
  if (typeof title !== 'boolean') throw new Error('title must be true or false');
  if (typeof description !== 'boolean') throw new Error('description must be true or false');
  if (!Array.isArray(elements)) throw new Error('elements must be a list');
  if (!title && !description && elements.length === 0) {
    throw new Error('nothing is required; set title, description or elements');
  }
  return { title, description, elements: elements.map(readElement) };
}

function readElement(value: unknown): Required {
  const { namespace, name, matches, ...unknown } = Object(value) as Partial<Record<string, unknown>>;
  refuseOthers(unknown, 'namespace, name or matches');
  if (typeof namespace !== 'string' || !/^[^\s"]+$/u.test(namespace)) {
    throw new Error('namespace of an element must be a URI');
  }
  if (typeof name !== 'string' || !/^[\p{L}_][\p{L}\p{N}_.-]*$/u.test(name)) {
    throw new Error('name of an element must be a name without prefix');
  }
  return { namespace, name, matches: matches === undefined ? null : readPattern(matches) };
}

function readPattern(value: unknown): RegExp {
  try {
    if (typeof value === 'string') return new RegExp(value, 'u');
  } catch {
    // Reported below.
  }
  throw new Error(`matches of an element must be a regular expression, not ${JSON.stringify(value)}`);
}

function refuseOthers(unknown: object, expected: string): void {
  const [first] = Object.keys(unknown);
  if (first !== undefined) throw new Error(`unknown setting '${first}'; expected ${expected}`);
}
