import type { Command } from 'commander';
import { z } from 'zod';
import { defaultSocket } from '../config/defaults.js';
import { askRuntime } from '../daemon/remote.js';
import { HookvisorError } from '../errors.js';
import { jsonLine, oneLine } from '../text.js';
import { type CommandContext, exitStatus, newCommand, secondsOption } from './command.js';
import { table } from './table.js';

interface StatusOptions {
  readonly socket: string;
  readonly timeout: number;
  readonly json?: true;
}

/** The part of the status that is formatted for people; `--json` prints all of it. */
const statusSchema = z.object({
  status: z.looseObject({
    version: z.string(),
    pid: z.number(),
    started: z.string(),
    config: z.string(),
    socket: z.string(),
    events: z.object({ answered: z.number(), denied: z.number(), withFailures: z.number() }),
    journal: z.object({ file: z.string(), unrecorded: z.number() }).nullable(),
    reloads: z.object({ done: z.number(), lastError: z.string().nullable() }),
    trial: z
      .looseObject({
        handler: z.string(),
        state: z.string(),
        compared: z.number(),
        flips: z.number(),
        newFailures: z.number(),
      })
      .nullable(),
    handlers: z.array(
      z.object({
        handler: z.string(),
        backend: z.string(),
        mode: z.string(),
        trust: z.string(),
        evaluations: z.number(),
        denials: z.number(),
        failures: z.number(),
        breaker: z
          .object({ state: z.string(), failures: z.number(), retryInMs: z.number().nullable() })
          .nullable()
          .default(null),
      }),
    ),
    sandbox: z.looseObject({
      isolation: z.object({
        level: z.string(),
        mechanism: z.string(),
        protections: z.array(z.string()),
        missing: z.array(z.string()).default([]),
        unavailable: z.array(z.object({ mechanism: z.string(), reason: z.string() })),
      }),
      runners: z.array(
        z.looseObject({
          trust: z.string(),
          pid: z.number().nullable(),
          state: z.string(),
          restarts: z.number(),
          queued: z.number(),
        }),
      ),
    }),
  }),
});

/** Implements `hookvisor status`: the state of the running runtime. */
export function statusCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('status', 'show the state of the running runtime', ['hookvisor status', 'hookvisor status --json'])
    .option('--socket <path>', 'the socket of the runtime', defaultSocket)
    .option('--timeout <seconds>', 'timeout for the answer of the runtime (default: 5)', secondsOption, 5_000)
    .option('--json', 'print the whole status as JSON')
    .action(async ({ socket, timeout: timeoutMs, json }: StatusOptions) => {
      const { head } = await askRuntime({ socket, command: { command: 'status' }, timeoutMs });
      const parsed = statusSchema.safeParse(head);
      if (!parsed.success) {
        throw new HookvisorError('protocol', `Cannot read the runtime's status: ${parsed.error.message}`);
      }
      if (json === true) terminal.out.write(jsonLine(parsed.data.status));
      else terminal.out.write(describe(parsed.data.status));
      finish(exitStatus.success);
    });
}

function describe(status: z.infer<typeof statusSchema>['status']): string {
  const { events, journal, reloads, trial, handlers, sandbox } = status;
  const facts = [
    `hookvisor ${status.version}, pid ${status.pid}, since ${status.started}`,
    `configuration  ${status.config} (${reloads.done} reloads)`,
    ...(reloads.lastError === null ? [] : [`last reload    rejected: ${reloads.lastError}`]),
    `socket         ${status.socket}`,
    `journal        ${journal === null ? 'none' : journal.file}`,
    ...(journal === null || journal.unrecorded === 0
      ? []
      : [`               ${journal.unrecorded} events not recorded`]),
    `events         ${events.answered} answered, ${events.denied} denied, ${events.withFailures} with failures`,
    ...(trial === null
      ? []
      : [
          `trial          ${trial.handler}: ${trial.state}, ${trial.compared} events compared, ${trial.flips} flips, ` +
            `${trial.newFailures} new failures`,
        ]),
    ...isolationText(sandbox.isolation),
  ];
  const ofHandlers = handlers.map((one) => [
    one.handler,
    one.backend,
    one.mode,
    one.trust,
    String(one.evaluations),
    String(one.denials),
    String(one.failures),
    breakerText(one.breaker),
  ]);
  const ofRunners = sandbox.runners.map((one) => [
    one.trust,
    one.state,
    one.pid === null ? '-' : String(one.pid),
    String(one.restarts),
    String(one.queued),
  ]);
  return [
    `${facts.join('\n')}\n`,
    ...(ofHandlers.length === 0
      ? []
      : [table(['HANDLER', 'BACKEND', 'MODE', 'TRUST', 'EVENTS', 'DENIED', 'FAILED', 'BREAKER'], ofHandlers)]),
    ...(ofRunners.length === 0 ? [] : [table(['RUNNER', 'STATE', 'PID', 'RESTARTS', 'QUEUED'], ofRunners)]),
  ].join('\n');
}

function breakerText(breaker: z.infer<typeof statusSchema>['status']['handlers'][number]['breaker']): string {
  if (breaker === null) return '-';
  const { state, failures, retryInMs } = breaker;
  if (state === 'closed') return failures === 0 ? state : `${state}, ${failures} failures`;
  const next = retryInMs === null ? 'retrying now' : `next retry in ${Math.ceil(retryInMs / 1_000)} s`;
  return `${state} after ${failures} failures, ${next}`;
}

/** Describes the isolation of plug-ins, and why better mechanisms are not in use. */
function isolationText(isolation: z.infer<typeof statusSchema>['status']['sandbox']['isolation']): string[] {
  const { level, mechanism, protections, missing, unavailable } = isolation;
  return [
    `isolation      ${level}${mechanism === level ? '' : ` by ${mechanism}`}: ${protections.join(', ')}`,
    ...(missing.length === 0 ? [] : [`               without ${missing.join(', ')}`]),
    ...unavailable.map((better) => `               not ${better.mechanism}: ${oneLine(better.reason, 200)}`),
  ];
}
