import { z } from 'zod';
import { quote } from './quote.js';
import type { Parsed } from './units.js';

/** Creates a schema for a value with a unit, such as `2s` or `64MiB`; its result is in the unit of the parser. */
export function unit(parse: (input: unknown) => Parsed): z.ZodPipe<z.ZodUnknown, z.ZodTransform<number>> {
  return z.unknown().transform((input, ctx): number => {
    const parsed = parse(input);
    if ('value' in parsed) return parsed.value;
    ctx.addIssue({ code: 'custom', message: `${quote(input)} ${parsed.wrong}` });
    return z.NEVER;
  });
}
