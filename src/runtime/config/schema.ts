import { z } from 'zod';
import { unit } from './unit.js';
import { grantNames } from '../libvirt/catalog.js';
import type { Json } from './config.js';
import { backendNames } from '../../contract/backend-name.js';
import { isolationLevels, isolationMechanisms } from '../../contract/isolation-level.js';
import { delegate, expected, isMapping, mapping, word } from './mapping.js';
import { quote, suggest } from './quote.js';
import {
  parseAge,
  parseDuration,
  parseFuel,
  parseJournalSize,
  parseMemory,
  parsePluginSize,
  parseSegmentSize,
} from './units.js';

/** The name of a handler, which appears in messages, in the journal and on command lines. */
export const handlerName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u;

function path(missing?: string) {
  const error = expected({ wrong: 'is not a path; write the path of a file', ...(missing && { missing }) });
  return z.string({ error }).refine((text) => text !== '' && !text.includes('\0'), { error });
}

function flag() {
  return z.boolean({ error: expected({ wrong: 'is not a boolean; write true or false' }) });
}

function name(what: string, missing?: string) {
  const error = expected({
    wrong: `is not a valid name; write ${what} of letters, digits, '.', '_' and '-', at most 64 of them`,
    ...(missing && { missing }),
  });
  return z.string({ error }).regex(handlerName, { error });
}

/** Accepts every value of the core schema of YAML except `.inf` and `.nan`. */
function isJson(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isJson);
  if (isMapping(value)) return Object.values(value).every(isJson);
  return typeof value !== 'number' || Number.isFinite(value);
}

const limits = {
  deadline: unit(parseDuration).optional(),
  fuel: unit(parseFuel).optional(),
  memory: unit(parseMemory).optional(),
  pluginSize: unit(parsePluginSize).optional(),
};

const grants = z.array(
  z
    .string({ error: expected({ wrong: 'is not a grant; write its name' }) })
    .refine((grant) => grantNames.includes(grant), {
      error: ({ input }) => `${quote(input)} is not a grant; ${suggest(input, grantNames)}`,
    }),
  { error: expected({ wrong: 'is not a list of grants; write a list such as [replace]' }) },
);

const handler = mapping({
  backend: word(backendNames, `write ${backendNames.join(', ')}`),
  source: path('write the path of the script or the .wasm file'),
  sha256: z
    .string({ error: expected({ wrong: 'is not a digest; write the output of sha256sum in quotes' }) })
    .regex(/^[0-9a-f]{64}$/iu, {
      error: expected({ wrong: 'is not a digest; write the 64 digits that sha256sum prints' }),
    })
    .transform((digest) => digest.toLowerCase())
    .optional(),
  trust: name('a trust group').optional(),
  settings: z
    .record(
      z.string(),
      z.custom<Json>(isJson, {
        error: expected({ wrong: 'cannot be passed to a plug-in; write a value that JSON can represent' }),
      }),
      {
        error: expected({ wrong: 'is not a mapping; write { key: value }' }),
      },
    )
    .nullish(),
  failurePolicy: z.union([z.enum(['fail', 'ignore']), z.strictObject({ fallback: z.string().min(1) })], {
    error: expected({
      wrong: 'is not a failure policy; write fail, ignore or { fallback: HANDLER }',
      missing: 'write how to treat a failure: fail (deny), ignore (allow) or { fallback: HANDLER }',
    }),
  }),
  mode: word(['enforce', 'monitor']).optional(),
  grants: grants.nullish(),
  arguments: word(['libvirt', 'rfc']).optional(),
  layout: word(['file', 'tree']).optional(),
  libvirtAccess: word(['allow', 'deny']).optional(),
  ...limits,
});

const wordOrList = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
    error: expected({ wrong: 'is not a text or a list of texts; write a, "1" or [a, b]' }),
  })
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .optional();

const route = mapping({
  match: mapping(
    { kind: wordOrList, driver: wordOrList, name: wordOrList, event: wordOrList, qualifier: wordOrList },
    'write match: {} for every event',
  ),
  handlers: z
    .array(z.string({ error: expected({ wrong: 'is not the name of a handler; write its name' }) }), {
      error: expected({
        wrong: 'is not a list of handlers; write [NAME, …]',
        missing: 'write the handlers to run, [NAME, …]',
      }),
    })
    .min(1, { error: 'the list is empty; write the handlers to run, or remove the route' }),
});

const journal = mapping({
  dir: path().optional(),
  redact: flag().optional(),
  sync: word(['always', 'interval']).optional(),
  maxSize: unit(parseJournalSize).optional(),
  maxAge: unit(parseAge).optional(),
  segmentSize: unit(parseSegmentSize).optional(),
});

const sandbox = mapping({
  require: word(isolationLevels).optional(),
  isolation: word(['auto', ...isolationMechanisms]).optional(),
});

const kinds = z
  .union([z.string().transform((text) => text.split(/\s+/u).filter((kind) => kind !== '')), z.array(z.string())], {
    error: expected({ wrong: 'is not a set of kinds; write kinds separated by spaces, such as daemon domain' }),
  })
  .refine((set) => set.length > 0 && set.every((kind) => /^[a-z][a-z0-9_-]*$/u.test(kind)), {
    error: ({ input }) =>
      Array.isArray(input) && input.length === 0
        ? 'contains no kind; write kinds such as daemon domain, or remove the key for all kinds'
        : 'contains a word that is not a kind; write kinds separated by spaces, such as daemon domain',
  });

const socket = mapping({
  path: path().optional(),
  group: z.string({ error: expected({ wrong: 'is not the name of a group; write it as in /etc/group' }) }).optional(),
  role: word(['read-only']).optional(),
});

/** The schema of the configuration file. References between its parts are checked in references.ts. */
export const configSchema = mapping({
  version: z.literal(1, {
    error: expected({
      wrong: 'is not a version that this release supports; write version: 1',
      missing: 'write version: 1',
    }),
  }),
  socket: z
    .unknown()
    .transform((input, ctx) =>
      isMapping(input) ? delegate(socket, input, ctx) : { path: delegate(path(), input, ctx) },
    )
    .optional(),
  journal: z
    .unknown()
    .transform((input, ctx) => (input === false ? false : delegate(journal, input ?? {}, ctx)))
    .optional(),
  cache: path().optional(),
  sandbox: z
    .unknown()
    .transform((input, ctx) => delegate(sandbox, input ?? {}, ctx))
    .optional(),
  limits: z
    .unknown()
    .transform((input, ctx) => delegate(mapping(limits), input ?? {}, ctx))
    .optional(),
  handlers: z
    .record(z.string(), handler, { error: expected({ wrong: 'is not a mapping; write NAME: with its keys below' }) })
    .nullish(),
  routes: z.array(route, { error: expected({ wrong: 'is not a list; start each route with "- match:"' }) }).nullish(),
  budget: unit(parseDuration).optional(),
  events_script: path().optional(),
  events_set: kinds.optional(),
});

/** The configuration file after validation, with parsed values. */
export type ConfigFile = z.output<typeof configSchema>;
export type HandlerEntry = z.output<typeof handler>;
