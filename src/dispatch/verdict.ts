import { z } from 'zod';
import { backendNames } from '../config/config.js';
import { failureCodes } from '../outcome.js';

const logLine = z.object({ level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() });

/** The record of one handler for one event. */
const handlerRecordSchema = z.object({
  handler: z.string(),
  backend: z.enum(backendNames),
  mode: z.enum(['enforce', 'monitor']),
  /** The handler that this one replaced as a fallback. */
  fallbackFor: z.string().exactOptional(),
  /** Null after a failure; then `failure` has the kind and `reason` the cause. */
  outcome: z.enum(['allow', 'deny', 'replace']).nullable(),
  reason: z.string().nullable(),
  failure: z.enum(failureCodes).nullable(),
  /** Fuel consumed; null where it is not counted. */
  fuel: z.number().nullable(),
  durationUs: z.number(),
  logs: z.array(logLine),
});

/** The verdict of the chain of handlers: the JSON of `hookvisor emit --json` and of the journal. */
export const verdictSchema = z.object({
  /** The decision of the handlers. */
  verdict: z.enum(['allow', 'deny', 'replace']),
  /** The reason of a denial; null otherwise. */
  reason: z.string().nullable(),
  /** The effect in libvirt of denying this operation. */
  effect: z.enum(['aborts', 'kills-guest', 'leaks', 'already-applied', 'ignored', 'unknown']),
  /** The answer to libvirt: not `deny` where that would do harm and no handler holds the grant for it. */
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
  /** Every handler that ran, in the order of the chain; a fallback follows the handler that it replaced. */
  handlers: z.array(handlerRecordSchema),
});

export type Verdict = z.infer<typeof verdictSchema>;
export type HandlerRecord = z.infer<typeof handlerRecordSchema>;
