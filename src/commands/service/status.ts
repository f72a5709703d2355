import type { Command } from 'commander';
import { defaultSocket } from '../../runtime/config/defaults.js';
import { askStatus } from '../ask-status.js';
import { type RuntimeStatus, statusSchema } from '../../contract/status.js';
import { jsonLine, oneLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand, secondsOption } from '../command.js';
import { table } from '../terminal/table.js';

interface StatusOptions {
  readonly socket: string;
  readonly timeout: number;
  readonly json?: true;
}

/** Implements `hookvisor status`: the state of the running runtime. */
export function statusCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('status', 'show the state of the running runtime', ['hookvisor status', 'hookvisor status --json'])
    .option('--socket <path>', 'the socket of the runtime', defaultSocket)
    .option('--timeout <seconds>', 'timeout for the answer of the runtime (default: 5)', secondsOption, 5_000)
    .option('--json', 'print the whole status as JSON')
    .action(async ({ socket, timeout: timeoutMs, json }: StatusOptions) => {
      const { status, received } = await askStatus({ socket, timeoutMs }, statusSchema);
      if (json === true) terminal.out.write(jsonLine(received));
      else terminal.out.write(describe(status));
      finish(exitStatus.success);
    });
}

function describe(status: RuntimeStatus): string {
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

function breakerText(breaker: RuntimeStatus['handlers'][number]['breaker']): string {
  if (breaker === null) return '-';
  const { state, failures, retryInMs } = breaker;
  if (state === 'closed') return failures === 0 ? state : `${state}, ${failures} failures`;
  const next = retryInMs === null ? 'retrying now' : `next retry in ${Math.ceil(retryInMs / 1_000)} s`;
  return `${state} after ${failures} failures, ${next}`;
}

/** Describes the isolation of plug-ins, and why better mechanisms are not in use. */
function isolationText(isolation: RuntimeStatus['sandbox']['isolation']): string[] {
  const { level, mechanism, protections, missing, unavailable } = isolation;
  return [
    `isolation      ${level}${mechanism === level ? '' : ` by ${mechanism}`}: ${protections.join(', ')}`,
    ...(missing.length === 0 ? [] : [`               without ${missing.join(', ')}`]),
    ...unavailable.map((better) => `               not ${better.mechanism}: ${oneLine(better.reason, 200)}`),
  ];
}
