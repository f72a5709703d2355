/** A parsed value, or what is wrong with the text; follows the quoted text in a message. */
export type Parsed = { readonly value: number } | { readonly wrong: string };

const minute = 60_000;
const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: minute };
const sizeUnits: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };

const longestMs = 10 * minute;

/** Parses `500ms`, `2s` or `1m` (from 1ms to 10m) to milliseconds. A unit is required. */
export function parseDuration(input: unknown): Parsed {
  const ms = scale(input, /^(\d+(?:\.\d+)?) ?(ms|s|m)$/u, durationUnits);
  if (ms === null) return { wrong: 'is not a duration; write 500ms, 2s or 1m' };
  const whole = Math.round(ms);
  if (whole < 1 || whole > longestMs) return { wrong: 'is out of range; write a duration from 1ms to 10m' };
  return { value: whole };
}

/** Parses `64MiB`, `512KiB`, `1GiB` or a plain number of bytes, from 64KiB to 4GiB. */
export function parseMemory(input: unknown): Parsed {
  return parseBytes(input, { what: 'memory', least: '64KiB', most: '4GiB', sample: '64MiB, 1GiB' });
}

/** Parses the size of a plug-in file, from 1KiB to 64MiB, which is `bounds.pluginBytes`. */
export function parsePluginSize(input: unknown): Parsed {
  return parseBytes(input, { what: 'data', least: '1KiB', most: '64MiB', sample: '16MiB, 512KiB' });
}

/** Parses the size of the whole journal, from 1MiB to 16TiB. */
export function parseJournalSize(input: unknown): Parsed {
  return parseBytes(input, { what: 'disk space', least: '1MiB', most: '16TiB', sample: '500MiB, 1GiB' });
}

/** Parses the size of one journal file, from 64KiB to 256MiB. */
export function parseSegmentSize(input: unknown): Parsed {
  return parseBytes(input, { what: 'disk space', least: '64KiB', most: '256MiB', sample: '16MiB, 64MiB' });
}

/** Parses an age such as `90d`, `12h` or `30m` (from 1m to 3650d) to milliseconds. */
export function parseAge(input: unknown): Parsed {
  const ms = scale(input, /^(\d+(?:\.\d+)?) ?(m|h|d)$/u, { m: minute, h: 60 * minute, d: 24 * 60 * minute });
  if (ms === null) return { wrong: 'is not an age; write 90d, 12h or 30m' };
  if (ms < minute || ms > 3_650 * 24 * 60 * minute) return { wrong: 'is out of range; write an age from 1m to 3650d' };
  return { value: Math.round(ms) };
}

interface Amount {
  readonly what: string;
  readonly least: string;
  readonly most: string;
  readonly sample: string;
}

function parseBytes(input: unknown, { what, least, most, sample }: Amount): Parsed {
  const bytes = typeof input === 'number' ? input : (sized(input) ?? count(input));
  if (bytes === null || !Number.isInteger(bytes)) {
    return { wrong: `is not an amount of ${what}; write ${sample} or a number of bytes` };
  }
  if (bytes < (sized(least) ?? 0) || bytes > (sized(most) ?? Infinity)) {
    return { wrong: `is out of range; write an amount from ${least} to ${most}` };
  }
  return { value: bytes };
}

function sized(input: unknown): number | null {
  return scale(input, /^(\d+(?:\.\d+)?) ?(KiB|MiB|GiB|TiB)$/u, sizeUnits);
}

/** Parses an amount of fuel: a whole number, at least 1, with optional underscores between digits. */
export function parseFuel(input: unknown): Parsed {
  const steps = typeof input === 'number' ? input : count(input);
  if (steps === null || !Number.isSafeInteger(steps) || steps < 1) {
    return { wrong: 'is not an amount of fuel; write a whole number, at least 1, such as 50_000_000' };
  }
  return { value: steps };
}

function scale(input: unknown, form: RegExp, units: Readonly<Record<string, number>>): number | null {
  const match = typeof input === 'string' ? form.exec(input) : null;
  const unit = units[match?.[2] ?? ''];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}

/** YAML 1.2 reads `50_000_000` as text. */
function count(input: unknown): number | null {
  return typeof input === 'string' && /^\d+(?:_\d+)*$/u.test(input) ? Number(input.replaceAll('_', '')) : null;
}
