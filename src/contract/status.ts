import { z } from 'zod';
import { backendNames } from './backend-name.js';
import { isolationLevels, isolationMechanisms } from './isolation-level.js';
import { verdictSchema } from './verdict.js';

const count = z.int().nonnegative();

const breaker = z
  .object({
    state: z.enum(['closed', 'open', 'half-open']),
    failures: count.describe(
      'Failures that cost a runner: within the window while closed, else since it last answered.',
    ),
    retryInMs: z.number().nullable().describe('Milliseconds until the next attempt; null if closed, or during one.'),
  })
  .describe('Stops calling a plug-in that repeatedly costs a runner.');

const handler = z
  .object({
    handler: z.string().describe('Its name in the configuration.'),
    backend: z.enum(backendNames),
    mode: z.enum(['enforce', 'monitor']),
    trust: z.string().describe('Its trust group.'),
    digest: z.string().nullable().describe('sha256 of the plug-in, hexadecimal; null for a script.'),
    evaluations: count,
    denials: count,
    failures: count,
    breaker: breaker.nullable().describe('Null for scripts, which need no runner.'),
  })
  .describe('One configured handler, since its configuration became active.');

const trial = z
  .object({
    handler: z.string(),
    from: z.string().describe('sha256 of the active plug-in.'),
    to: z.string().describe('sha256 of the plug-in on trial.'),
    state: z.enum(['running', 'done', 'reloaded', 'cancelled']).describe('Whether it is running, or why it ended.'),
    began: z.number().describe('Milliseconds since the Unix epoch.'),
    until: z.number().describe('Milliseconds since the Unix epoch.'),
    compared: count.describe('Events that both plug-ins decided.'),
    flips: count.describe('Events with different outcomes.'),
    newFailures: count.describe('Events for which only the plug-in on trial failed.'),
    examples: z
      .array(z.object({ event: verdictSchema.shape.event, before: z.string(), after: z.string() }))
      .describe('The first events with a flip or a new failure; the journal has all of them.'),
  })
  .describe('The current trial of a plug-in, or the last one.');

const runner = z
  .object({
    trust: z.string().describe('Its trust group.'),
    pid: z.int().nullable().describe('Null while no process runs.'),
    state: z.enum(['starting', 'ready', 'busy', 'waiting to restart', 'closed']),
    handlers: z.array(z.string()).describe('Names of the handlers loaded in it.'),
    restarts: count.describe('Processes that were lost.'),
    replacements: count.describe('Processes that were replaced on purpose.'),
    queued: count.describe('Requests that are waiting.'),
  })
  .describe('The process that runs the plug-ins of one trust group.');

const isolation = z
  .object({
    level: z.enum(isolationLevels),
    mechanism: z.enum(isolationMechanisms),
    protections: z.array(z.string()).describe('The protections that apply.'),
    missing: z.array(z.string()).describe('Protections of this level that this host lacks.'),
    unavailable: z
      .array(z.object({ mechanism: z.enum(isolationMechanisms), reason: z.string() }))
      .describe('Better mechanisms, and why each is not used.'),
  })
  .describe("How the sandbox's processes are isolated.");

/** The state of a running runtime: the JSON of `hookvisor status --json`. */
export const statusSchema = z.object({
  version: z.string().describe('Its release.'),
  pid: z.int(),
  node: z.string().describe('The version of Node.'),
  started: z.string().describe('When it started, ISO 8601.'),
  config: z.string().describe('Absolute path of the active configuration.'),
  socket: z.string(),
  events: z
    .object({ answered: count, denied: count, withFailures: count })
    .describe('Events since the start. `denied` counts answers to libvirt.'),
  journal: z
    .object({
      file: z.string().describe('The segment that is being written.'),
      unrecorded: count.describe('Events that were answered but could not be written.'),
    })
    .nullable()
    .describe('Null without a journal.'),
  reloads: z.object({
    done: count,
    lastError: z.string().nullable().describe('Why the last reload failed; null if it did not.'),
  }),
  trial: trial.nullable().describe('Null if there was none.'),
  handlers: z.array(handler),
  sandbox: z.object({
    runners: z.array(runner),
    isolation,
    admissions: count.describe('Plug-ins that are being admitted.'),
  }),
});

type DeepReadonly<Data> = Data extends object ? { readonly [Key in keyof Data]: DeepReadonly<Data[Key]> } : Data;

/** What `hookvisor status --json` prints. */
export type RuntimeStatus = DeepReadonly<z.infer<typeof statusSchema>>;
