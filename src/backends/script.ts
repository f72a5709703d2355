import type { HandlerConfig } from '../config/config.js';
import { HookvisorError, messageOf } from '../errors.js';
import type { HookCall } from '../event.js';
import { toHookArguments, toRfcArguments } from '../libvirt/call.js';
import { takesDocument } from '../libvirt/catalog.js';
import { bounds } from '../limits.js';
import { HandlerFailure, type Evaluation, type FailureCode, type LogLine } from '../outcome.js';
import { oneLine } from '../text.js';
import type { Backend, Handler } from './backend.js';
import { codeOf, executableProblem } from './executable.js';
import { createPipePool } from './pipes.js';
import { runProcessGroup, type ProcessEnd } from './process-group.js';

const pipes = createPipePool();

/**
 * Classic external scripts, called as libvirt calls its own hooks: the document on stdin, exit status 0 allows,
 * anything else denies with stderr as the reason, and stdout replaces the document where libvirt takes one. A script
 * is run from its path at every event, so it may be replaced at any time.
 */
export const scriptBackend: Backend = {
  async load(config) {
    const problem = await executableProblem(config.source);
    if (problem !== null) {
      throw new HookvisorError('plugin-unreadable', `Cannot load the script '${shown(config.source)}': ${problem}`, {
        fields: { handler: config.name, source: config.source },
      });
    }
    return createScriptHandler(config);
  },
  [Symbol.asyncDispose]: () => pipes[Symbol.asyncDispose](),
};

function createScriptHandler(config: HandlerConfig): Handler {
  const running = new Set<Promise<Evaluation>>();
  return {
    digest: null,
    evaluate(call) {
      const evaluation = runScript(config, call).finally(() => running.delete(evaluation));
      running.add(evaluation);
      return evaluation;
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(running);
    },
  };
}

async function runScript(config: HandlerConfig, { event, document }: HookCall): Promise<Evaluation> {
  const filters = takesDocument(event);
  const problem = await executableProblem(config.source);
  if (problem !== null) throw failure('unavailable', config, problem);
  let end: ProcessEnd;
  try {
    end = await runProcessGroup(
      {
        file: config.source,
        args: config.arguments === 'rfc' ? toRfcArguments(event) : toHookArguments(event),
        env: scriptEnvironment(event.id),
        stdin: document,
        stdoutBytes: filters ? bounds.documentBytes : null,
        stderrBytes: bounds.stderrBytes,
        deadlineMs: config.limits.deadlineMs,
      },
      pipes,
    );
  } catch (error) {
    throw failure('unavailable', config, executionProblem(error), { cause: error });
  }
  return evaluationOf(config, end);
}

/** What libvirt passes to its hooks (virCommandAddEnvPassCommon, LC_ALL set), and the event's id. */
function scriptEnvironment(eventId: string): NodeJS.ProcessEnv {
  const passed = Object.entries(process.env).filter(([name]) => /^(?:PATH|HOME|USER|LOGNAME|TMPDIR|LD_.*)$/.test(name));
  return { LC_ALL: 'C', ...Object.fromEntries(passed), HOOKVISOR_EVENT_ID: eventId };
}

function evaluationOf(config: HandlerConfig, end: ProcessEnd): Evaluation {
  const logs = logLines(end.stderr);
  if (end.stopped === 'deadline') {
    const ms = config.limits.deadlineMs;
    const what = `it had not finished after ${ms} ms and was killed; raise its deadline or find out what it waits for`;
    throw failure('deadline', config, what, { logs });
  }
  if (end.stopped === 'stdout-too-large') {
    const what = `it wrote more than ${bounds.documentBytes} bytes to stdout and was killed; print the document only`;
    throw failure('protocol', config, what, { logs });
  }
  if (end.status === null) {
    throw failure('crashed', config, `${end.signal ?? 'a signal'} ended it; run it by hand to see why`, { logs });
  }
  if (end.status !== 0) {
    const reason = oneLine(end.stderr.toString('utf8'), bounds.reasonChars);
    return {
      outcome: { outcome: 'deny', reason: reason === '' ? `exit status ${end.status}` : reason },
      fuel: null,
      logs: [],
    };
  }
  const outcome = isBlank(end.stdout)
    ? { outcome: 'allow' as const }
    : { outcome: 'replace' as const, document: end.stdout };
  return { outcome, fuel: null, logs };
}

/** As libvirt's virStringIsEmpty: nothing but ASCII white space. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

function logLines(stderr: Buffer): LogLine[] {
  const lines = stderr
    .toString('utf8')
    .split('\n')
    .map((line) => oneLine(line, bounds.logChars))
    .filter((line) => line !== '');
  const kept = lines.length > bounds.logLines ? lines.slice(0, bounds.logLines - 1) : lines;
  const logs = kept.map((message): LogLine => ({ level: 'info', message }));
  const dropped = lines.length - kept.length;
  return dropped > 0 ? [...logs, { level: 'warn', message: `${dropped} more lines were dropped` }] : logs;
}

function executionProblem(error: unknown): string {
  switch (codeOf(error) ?? '') {
    case 'ENOENT':
      return "it, or the interpreter in its '#!' line, does not exist; install what is missing or correct the path";
    case 'EACCES':
      return "it, or the interpreter in its '#!' line, is not executable; run chmod +x on it";
    case 'ENOEXEC':
      return "it has no format that this system runs; begin it with a '#!' line or build it for this machine";
    case 'E2BIG':
      return "the event's arguments are longer than the system allows; nothing can be done about this event";
    default:
      return `${oneLine(messageOf(error), bounds.reasonChars)}; see the system's log`;
  }
}

function failure(
  code: FailureCode,
  config: HandlerConfig,
  what: string,
  spent: { cause?: unknown; logs?: readonly LogLine[] } = {},
): HandlerFailure {
  return new HandlerFailure(code, `Cannot run the script '${shown(config.source)}': ${what}`, spent);
}

function shown(path: string): string {
  return oneLine(path, 256);
}
