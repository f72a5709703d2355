/** A parsed value, or what is wrong with the text, to follow the quoted text in a message. */
export type Parsed = { readonly value: number } | { readonly wrong: string };

const minute = 60_000;
const gibibyte = 1024 ** 3;
const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: minute };
const memoryUnits: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: gibibyte };

const longestMs = 10 * minute;
const mostMemory = 4 * gibibyte;
/** A WebAssembly memory is counted in pages of this size. */
const leastMemory = 64 * 1024;

/** Milliseconds of `500ms`, `2s` or `1m`; from 1ms to 10m. A unit is required. */
export function parseDuration(input: unknown): Parsed {
  const ms = scale(input, /^(\d+(?:\.\d+)?) ?(ms|s|m)$/u, durationUnits);
  if (ms === null) return { wrong: 'is not a duration; write 500ms, 2s or 1m' };
  const whole = Math.round(ms);
  if (whole < 1 || whole > longestMs) return { wrong: 'is out of range; write a duration from 1ms to 10m' };
  return { value: whole };
}

/** Bytes of `64MiB`, `512KiB`, `1GiB` or a plain number of bytes; from 64KiB to 4GiB. */
export function parseMemory(input: unknown): Parsed {
  const bytes =
    typeof input === 'number'
      ? input
      : (scale(input, /^(\d+(?:\.\d+)?) ?(KiB|MiB|GiB)$/u, memoryUnits) ?? count(input));
  if (bytes === null || !Number.isInteger(bytes)) {
    return { wrong: 'is not an amount of memory; write 64MiB, 1GiB or a number of bytes' };
  }
  if (bytes < leastMemory || bytes > mostMemory)
    return { wrong: 'is out of range; write an amount from 64KiB to 4GiB' };
  return { value: bytes };
}

/** A whole number of steps, at least 1, as a number or with underscores between its digits. */
export function parseFuel(input: unknown): Parsed {
  const steps = typeof input === 'number' ? input : count(input);
  if (steps === null || !Number.isSafeInteger(steps) || steps < 1) {
    return { wrong: 'is not a number of steps; write a whole number from 1, such as 50_000_000' };
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
