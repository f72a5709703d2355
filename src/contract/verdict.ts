import { z } from 'zod';
import { backendNames } from './backend-name.js';
import { hookEventSchema } from './event.js';
import { failureCodes } from './outcome.js';

const logLine = z.object({ level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() });

/** The record of one handler for one event. */
const handlerRecordSchema = z.object({
  handler: z.string(),
  backend: z.enum(backendNames),
  mode: z.enum(['enforce', 'monitor']),
  fallbackFor: z.string().exactOptional().describe('The handler that this one replaced as a fallback.'),
  outcome: z
    .enum(['allow', 'deny', 'replace'])
    .nullable()
    .describe('Null after a failure; then `failure` has the kind and `reason` the cause.'),
  reason: z.string().nullable(),
  failure: z.enum(failureCodes).nullable(),
  fuel: z.number().nullable().describe('Fuel consumed; null where it is not counted.'),
  durationUs: z.number().describe('Microseconds.'),
  logs: z.array(logLine),
});

/** The verdict of the chain of handlers: the JSON of `hookvisor emit --json` and of the journal. */
export const verdictSchema = z.object({
  verdict: z.enum(['allow', 'deny', 'replace']).describe('The decision of the handlers.'),
  reason: z.string().nullable().describe('The reason of a denial; null otherwise.'),
  effect: z
    .enum(['aborts', 'kills-guest', 'leaks', 'already-applied', 'ignored', 'unknown'])
    .describe('The effect in libvirt of denying this operation.'),
  answered: z
    .enum(['allow', 'deny', 'replace'])
    .describe('The answer to libvirt: not `deny` where that would do harm and no handler holds the grant for it.'),
  event: hookEventSchema.omit({ time: true, uuid: true }),
  handlers: z
    .array(handlerRecordSchema)
    .describe('Every handler that ran, in the order of the chain; a fallback follows the handler that it replaced.'),
});

export type Verdict = z.infer<typeof verdictSchema>;
export type HandlerRecord = z.infer<typeof handlerRecordSchema>;
