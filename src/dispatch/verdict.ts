import { z } from 'zod';
import { backendNames } from '../config/config.js';
import { failureCodes } from '../outcome.js';

const logLine = z.object({ level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() });

/** What one handler did about one event. */
const handlerRecordSchema = z.object({
  handler: z.string(),
  backend: z.enum(backendNames),
  mode: z.enum(['enforce', 'monitor']),
  fallbackFor: z
    .string()
    .exactOptional()
    .describe('The handler in whose place this one decided, when it ran as a fallback.'),
  outcome: z
    .enum(['allow', 'deny', 'replace'])
    .nullable()
    .describe('Null when it could not decide: then `failure` says how, and `reason` why.'),
  reason: z.string().nullable(),
  failure: z.enum(failureCodes).nullable(),
  fuel: z.number().nullable().describe('Steps executed; null where they are not counted.'),
  durationUs: z.number().describe('Microseconds.'),
  logs: z.array(logLine),
});

/** What the chain of handlers decided about one event: the JSON of `hookvisor emit --json` and of the journal. */
export const verdictSchema = z.object({
  verdict: z.enum(['allow', 'deny', 'replace']).describe('What the handlers decided.'),
  reason: z.string().nullable().describe('Why it was denied; null otherwise.'),
  effect: z
    .enum(['aborts', 'kills-guest', 'leaks', 'already-applied', 'ignored', 'unknown'])
    .describe('What a denial of this operation does in libvirt.'),
  answered: z
    .enum(['allow', 'deny', 'replace'])
    .describe('What libvirt is told: not `deny` where that would do harm and no handler holds the grant for it.'),
  event: z.object({
    id: z.string(),
    kind: z.string(),
    name: z.string(),
    event: z.string(),
    qualifier: z.string(),
    extra: z.string().nullable(),
    driver: z.string(),
  }),
  handlers: z
    .array(handlerRecordSchema)
    .describe(
      'Every handler that ran, in the order of the chain; a fallback right after the one that it stood in for.',
    ),
});

export type Verdict = z.infer<typeof verdictSchema>;
export type HandlerRecord = z.infer<typeof handlerRecordSchema>;
