import { z } from 'zod';
import { unit } from '../runtime/config/unit.js';
import type { Json } from '../runtime/config/config.js';
import { backendNames } from '../contract/backend-name.js';
import { expected, isMapping, mapping, word } from '../runtime/config/mapping.js';
import { parseDuration, parseFuel, parseMemory, parsePluginSize } from '../runtime/config/units.js';
import { quote } from '../runtime/config/quote.js';
import { failureCodes } from '../contract/outcome.js';
import { parsePattern, type Pattern } from './pattern.js';

const outcomes = ['allow', 'deny', 'replace'] as const;

function text(what: string, missing?: string) {
  return z.string({ error: expected({ wrong: `is not ${what}; write text`, ...(missing && { missing }) }) });
}

const pattern = text('a text').transform((input, ctx): Pattern => {
  const parsed = parsePattern(input);
  if (parsed !== null) return parsed;
  ctx.addIssue({ code: 'custom', message: `${quote(input)} is not a valid regular expression; correct it` });
  return z.NEVER;
});

const expectation = mapping({
  outcome: word(outcomes).optional(),
  reason: pattern.optional(),
  failure: word(failureCodes).optional(),
  refused: pattern.optional(),
  document: pattern.optional(),
  logs: z.array(pattern, { error: expected({ wrong: "is not a list; write ['info: text', /pattern/]" }) }).optional(),
  fuel: unit(parseFuel).optional(),
});

/** The expectation of a case. Absent keys are not checked. */
export type Expectation = z.output<typeof expectation>;

const whatToExpect = 'write allow, or { outcome: deny, reason: … }';
const expect = z.unknown().transform((input, ctx): Expectation => {
  if (typeof input === 'string') return delegated(word(outcomes), input, ctx, (outcome) => ({ outcome }));
  if (input === undefined) {
    ctx.addIssue({ code: 'custom', message: `missing; ${whatToExpect}` });
    return z.NEVER;
  }
  return delegated(expectation, input, ctx, (given) => {
    const main = [given.outcome, given.failure, given.refused].filter((one) => one !== undefined);
    if (main.length === 1) return given;
    ctx.addIssue({ code: 'custom', message: `has ${main.length} of outcome, failure and refused; write exactly one` });
    return z.NEVER;
  });
});

/** Runs another schema inside a transformation and continues with its result. */
function delegated<S extends z.ZodType, T>(
  schema: S,
  input: unknown,
  ctx: z.core.$RefinementCtx,
  then: (value: z.output<S>) => T,
): T {
  const result = schema.safeParse(input);
  if (result.success) return then(result.data);
  for (const { path, message } of result.error.issues) ctx.addIssue({ code: 'custom', path, message });
  return z.NEVER;
}

const settings = z
  .record(z.string(), z.custom<Json>(), { error: expected({ wrong: 'is not a mapping; write { key: value }' }) })
  .optional();

const limits = mapping({
  deadline: unit(parseDuration).optional(),
  fuel: unit(parseFuel).optional(),
  memory: unit(parseMemory).optional(),
  pluginSize: unit(parsePluginSize).optional(),
}).optional();

const document = z
  .unknown()
  .transform((input, ctx): string | { file: string } | null => {
    if (typeof input === 'string' || input === null) return input;
    if (isMapping(input) && typeof input['file'] === 'string' && Object.keys(input).length === 1) {
      return { file: input['file'] };
    }
    ctx.addIssue({ code: 'custom', message: `${quote(input)} is not a document; write the XML, or { file: PATH }` });
    return z.NEVER;
  })
  .optional();

const argument = z.union([z.string(), z.number().transform(String)], {
  error: expected({ wrong: 'is not an argument; write text' }),
});

const call = {
  driver: text("libvirt's hook name").optional(),
  argv: z
    .array(argument, { error: expected({ wrong: 'is not a list; write [NAME, OPERATION, SUBOPERATION, EXTRA]' }) })
    .min(2, 'is too short; write [NAME, OPERATION, SUBOPERATION, EXTRA]')
    .optional(),
  event: mapping({
    kind: text('a kind', 'write domain, network or daemon'),
    name: text('a name', 'write the name of the object'),
    event: text('an operation', "write libvirt's operation, such as prepare"),
    qualifier: text('a sub-operation').optional(),
    extra: text('an extra argument').nullish(),
  }).optional(),
  document,
  time: z
    .union([z.number().int().nonnegative(), z.string().refine((given) => !Number.isNaN(Date.parse(given)))], {
      error: expected({ wrong: "is not a time; write '2026-01-01T12:00:00Z' or milliseconds since 1970" }),
    })
    .optional(),
  id: text('an identifier').max(64, 'is longer than 64 characters; shorten it').optional(),
  settings,
  limits,
};

const variant = mapping({ name: text('a name').optional(), settings, limits, expect });

const oneCase = mapping({
  name: text('a name', 'write what the case claims'),
  ...call,
  expect: expect.optional(),
  matrix: z
    .array(variant, { error: expected({ wrong: 'is not a list; write - settings: … with expect: …' }) })
    .optional(),
});

const handler = mapping({
  source: text('a path', 'write the path of the .wasm file or the script'),
  backend: word(backendNames).optional(),
  arguments: word(['libvirt', 'rfc']).optional(),
  grants: z.array(text('a grant')).optional(),
});

/** A case file: the handler, defaults for all cases, and the cases. */
export const caseFileSchema = mapping({
  handler: handler.optional(),
  defaults: mapping(call).optional(),
  cases: z.array(oneCase, {
    error: expected({ wrong: 'is not a list; begin each case with "- name:"', missing: 'write the list of cases' }),
  }),
});

export type CaseFile = z.output<typeof caseFileSchema>;
export type CaseEntry = z.output<typeof oneCase>;
export type HandlerOfCases = z.output<typeof handler>;
