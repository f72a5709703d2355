import { z } from 'zod';
import { bounds } from '../../contract/limits.js';
import { nearest } from './nearest.js';
import { quote, suggest } from './quote.js';

/** Describes a valid value for messages. `missing` is used when the key itself is absent. */
interface Expectation {
  /** Follows the quoted value, such as `is not a path; write …`. */
  readonly wrong: string;
  readonly missing?: string;
}

/** Returns the message for an invalid or missing value. */
export function expected({ wrong, missing }: Expectation) {
  return (issue: { readonly input?: unknown }): string =>
    issue.input === undefined ? `missing; ${missing ?? 'add it'}` : `${quote(issue.input)} ${wrong}`;
}

/** A schema for one of a few words; the message suggests the nearest one. */
export function word<const T extends readonly string[]>(words: T, missing?: string): z.ZodType<T[number]> {
  return z.enum(words, {
    error: ({ input }) =>
      input === undefined && missing !== undefined
        ? `missing; ${missing}`
        : `${quote(input)} is not a valid value; ${suggest(input, words)}`,
  });
}

/** Runs another schema inside a transformation; its issues become issues of that transformation. */
export function delegate<S extends z.ZodType>(schema: S, input: unknown, ctx: z.core.$RefinementCtx): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues) ctx.addIssue({ code: 'custom', path, message });
  return z.NEVER;
}

/**
 * A schema for a mapping with exactly these keys. Every unknown key is a separate issue that suggests the nearest known
 * key; if that key is required, it is not also reported as missing.
 */
export function mapping<S extends z.ZodRawShape>(shape: S, missing?: string): z.ZodType<z.output<z.ZodObject<S>>> {
  const known = Object.keys(shape);
  const inner = z.object(shape);
  return z.unknown().transform((input, ctx): z.output<typeof inner> => {
    if (!isMapping(input)) {
      const keys = known.slice(0, 3).join(', ');
      const wrong = `is not a mapping; write its keys (${keys}, …) below it`;
      const message = expected({ wrong, ...(missing && { missing }) })({ input });
      ctx.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    const meant = new Set<PropertyKey>();
    const unknown = Object.keys(input).filter((name) => !known.includes(name));
    for (const key of unknown.slice(0, bounds.listedProblems)) {
      const near = nearest(
        key,
        known.filter((name) => !Object.hasOwn(input, name)),
      );
      if (near !== null) meant.add(near);
      ctx.addIssue({
        code: 'custom',
        path: [key],
        message:
          near === null ? `unknown key; valid keys are ${known.join(', ')}` : `unknown key; did you mean '${near}'?`,
      });
    }
    const more = unknown.length - bounds.listedProblems;
    if (more > 0) ctx.addIssue({ code: 'custom', message: `${more} more keys are also unknown` });
    const result = inner.safeParse(input);
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues) {
      const first = path[0];
      const misspelled = first !== undefined && meant.has(first) && !Object.hasOwn(input, first);
      if (!misspelled) ctx.addIssue({ code: 'custom', path, message });
    }
    return z.NEVER;
  });
}

/** Tells whether a value is a mapping. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
