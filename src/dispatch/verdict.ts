import { z } from 'zod';
import { backendNames } from '../config/config.js';
import { failureCodes } from '../outcome.js';

const logLine = z.object({ level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() });

/** What one handler did about one event. */
const handlerRecordSchema = z.object({
  handler: z.string(),
  backend: z.enum(backendNames),
  mode: z.enum(['enforce', 'monitor']),
  /** The handler in whose place this one decided, when it ran as a fallback. */
  fallbackFor: z.string().exactOptional(),
  /** Null when it could not decide: then `failure` says how, and `reason` why. */
  outcome: z.enum(['allow', 'deny', 'replace']).nullable(),
  reason: z.string().nullable(),
  failure: z.enum(failureCodes).nullable(),
  /** Steps executed; null where they are not counted. */
  fuel: z.number().nullable(),
  durationUs: z.number(),
  logs: z.array(logLine),
});

/** What the chain of handlers decided about one event: the JSON of `hookvisor emit --json` and of the journal. */
export const verdictSchema = z.object({
  /** What the handlers decided. */
  verdict: z.enum(['allow', 'deny', 'replace']),
  /** Why it was denied; null otherwise. */
  reason: z.string().nullable(),
  /** What a denial of this operation does in libvirt. */
  effect: z.enum(['aborts', 'kills-guest', 'leaks', 'already-applied', 'ignored', 'unknown']),
  /** What libvirt is told: not `deny` where that would do harm and no handler holds the grant for it. */
  answered: z.enum(['allow', 'deny', 'replace']),
  event: z.object({
    id: z.string(),
    kind: z.string(),
    name: z.string(),
    event: z.string(),
    qualifier: z.string(),
    extra: z.string().nullable(),
    driver: z.string(),
  }),
  /** Every handler that ran, in the order of the chain; a fallback right after the handler that it stood in for. */
  handlers: z.array(handlerRecordSchema),
});

export type Verdict = z.infer<typeof verdictSchema>;
export type HandlerRecord = z.infer<typeof handlerRecordSchema>;
