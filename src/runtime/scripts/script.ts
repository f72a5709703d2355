import { stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { HandlerConfig } from '../config/config.js';
import { codeOf } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import type { HookCall } from '../../contract/event.js';
import { toHookArguments, toRfcArguments } from '../libvirt/call.js';
import { takesDocument } from '../libvirt/catalog.js';
import { bounds } from '../../contract/limits.js';
import { HandlerFailure, type Evaluation, type FailureCode, type LogLine } from '../../contract/outcome.js';
import { oneLine } from '../../contract/text.js';
import type { Backend, Handler } from '../backend.js';
import { executableProblem } from './executable.js';
import { libvirtAccessProblem, withoutLibvirt, wrapperProblem } from './libvirt-access.js';
import { scriptsFor } from './script-tree.js';
import { createSpawner } from './spawner.js';
import type { SpawnEnd } from './spawner-protocol.js';

/** Serves all backends of this process, so that a reload starts no process while events wait for it. */
const spawner = createSpawner();
const backends = new Set<Backend>();

/**
 * Runs external scripts as libvirt runs hooks: the document on stdin, exit status 0 allows, any other status denies
 * with stderr as the reason, and stdout replaces the document where libvirt accepts one. A script is started from its
 * path for every event, so it can be replaced at any time. Disposing the last backend ends the
 * native process and every script that still runs.
 */
export function createScriptBackend(): Backend {
  const backend: Backend = {
    load,
    async [Symbol.asyncDispose]() {
      if (backends.delete(backend) && backends.size === 0) await spawner[Symbol.asyncDispose]();
    },
  };
  backends.add(backend);
  return backend;
}

async function load(config: HandlerConfig): Promise<Handler> {
  const problem = (await sourceProblem(config)) ?? (await accessProblem(config));
  if (problem !== null) {
    throw new HookvisorError('plugin-unreadable', `Cannot load the script '${shown(config.source)}': ${problem}`, {
      fields: { handler: config.name, source: config.source },
    });
  }
  await spawner.start();
  return createScriptHandler(config);
}

async function sourceProblem({ source, layout }: HandlerConfig): Promise<string | null> {
  if (layout === 'file') return executableProblem(source);
  try {
    return (await stat(source)).isDirectory() ? null : "it is not a folder; specify a folder, or remove 'layout: tree'";
  } catch (error) {
    return `its folder cannot be read (${codeOf(error) ?? messageOf(error)}); create it or correct the path`;
  }
}

async function accessProblem({ libvirtAccess }: HandlerConfig): Promise<string | null> {
  const problem = libvirtAccess === 'deny' ? await libvirtAccessProblem() : null;
  return problem === null
    ? null
    : `libvirtAccess: deny cannot be enforced on this host: ${problem}, or remove libvirtAccess`;
}

function createScriptHandler(config: HandlerConfig): Handler {
  const running = new Set<Promise<Evaluation>>();
  const env = hookEnvironment();
  return {
    digest: null,
    evaluate(call, mostMs = config.limits.deadlineMs) {
      const deadlineMs = Math.min(config.limits.deadlineMs, mostMs);
      const evaluation = (config.layout === 'tree' ? runTree : runScript)({
        config,
        env,
        call,
        source: config.source,
        deadlineMs,
      }).finally(() => running.delete(evaluation));
      running.add(evaluation);
      return evaluation;
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(running);
    },
  };
}

interface Run {
  readonly config: HandlerConfig;
  /** The environment of the script, except the event id, as NAME=VALUE. */
  readonly env: readonly string[];
  readonly call: HookCall;
  /** Absolute path of the script or of the tree. */
  readonly source: string;
  readonly deadlineMs: number;
}

/** Runs the scripts of a tree one after the other within one deadline. The first that denies or fails ends the run. */
async function runTree(run: Run): Promise<Evaluation> {
  const { call, source, deadlineMs } = run;
  const ends = performance.now() + deadlineMs;
  const scripts = await scriptsFor(source, call.event).catch((error: unknown) => {
    throw failure('unavailable', run, `its folders cannot be read (${codeOf(error) ?? messageOf(error)})`, {
      cause: error,
    });
  });
  let document = call.document;
  let outcome: Evaluation['outcome'] = { outcome: 'allow' };
  const logs: LogLine[] = [];
  for (const script of scripts) {
    const leftMs = Math.floor(ends - performance.now());
    if (leftMs < 1) throw failure('deadline', run, `its scripts took ${deadlineMs} ms; raise its deadline`, { logs });
    const one = await runScript({ ...run, call: { ...call, document }, source: script, deadlineMs: leftMs });
    logs.push(...one.logs.slice(0, bounds.logLines - logs.length));
    if (one.outcome.outcome === 'deny') return { ...one, logs };
    if (one.outcome.outcome === 'replace') {
      outcome = one.outcome;
      document = one.outcome.document;
    }
  }
  return { outcome, fuel: null, logs };
}

async function runScript(run: Run): Promise<Evaluation> {
  const { config, env, source, deadlineMs } = run;
  const { event, document } = run.call;
  const withLibvirt = config.libvirtAccess === 'allow';
  const args = config.arguments === 'rfc' ? toRfcArguments(event) : toHookArguments(event);
  const command = withLibvirt ? { file: source, args } : withoutLibvirt({ file: source, args });
  let end: SpawnEnd;
  try {
    end = await spawner.run({
      argv: [command.file, ...command.args],
      env: [...env, `HOOKVISOR_EVENT_ID=${event.id}`],
      stdin: document,
      stdoutBytes: takesDocument(event) ? bounds.documentBytes : null,
      stderrBytes: bounds.stderrBytes,
      deadlineMs,
    });
  } catch (error) {
    if (error instanceof HookvisorError) throw failure('crashed', run, error.message, { cause: error });
    await refuseUnexecutable(run, error);
    throw failure('unavailable', run, executionProblem(error), { cause: error });
  }
  const unstarted = withLibvirt ? null : wrapperProblem(end.status, end.stderr);
  if (unstarted !== null) {
    await refuseUnexecutable(run);
    throw failure('unavailable', run, `it could not be started with libvirt hidden: ${unstarted}`);
  }
  return evaluationOf(run, end);
}

/** Throws an error that describes the problem of the file more precisely than the error of the system. */
async function refuseUnexecutable(run: Run, cause: unknown = null): Promise<void> {
  const problem = await executableProblem(run.source);
  if (problem !== null) throw failure('unavailable', run, problem, { cause });
}

/** Returns the environment that libvirt passes to hooks (virCommandAddEnvPassCommon, with LC_ALL set). */
function hookEnvironment(): string[] {
  const passed = Object.entries(process.env).filter(([name]) => /^(?:PATH|HOME|USER|LOGNAME|TMPDIR|LD_.*)$/.test(name));
  return ['LC_ALL=C', ...passed.map(([name, value]) => `${name}=${value ?? ''}`)];
}

function evaluationOf(run: Run, end: SpawnEnd): Evaluation {
  const logs = logLines(end.stderr);
  if (end.stopped === 'deadline') {
    const ms = run.deadlineMs;
    const what = `it did not finish within ${ms} ms and was killed; raise its deadline, or find out what it waits for`;
    throw failure('deadline', run, what, { logs });
  }
  if (end.stopped === 'stdout-too-large') {
    const what = `it wrote more than ${bounds.documentBytes} bytes to stdout and was killed; print only the document`;
    throw failure('protocol', run, what, { logs });
  }
  if (end.status === null) {
    throw failure('crashed', run, `it was terminated by ${end.signal ?? 'a signal'}; run it by hand to see why`, {
      logs,
    });
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

/** Tells whether text is empty like virStringIsEmpty of libvirt: only ASCII white space. */
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
      return "this system cannot run its format; start it with a '#!' line, or build it for this machine";
    case 'E2BIG':
      return 'the arguments of the event are longer than the system allows; no script can handle this event';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many scripts run concurrently, so no more files can be opened; raise LimitNOFILE= of the service';
    case 'EAGAIN':
    case 'ENOMEM':
      return 'the system has no processes or memory left; raise TasksMax= of the service, or free memory';
    default:
      return `${oneLine(messageOf(error), bounds.reasonChars)}; see the system log`;
  }
}

function failure(
  code: FailureCode,
  { source }: Pick<Run, 'source'>,
  what: string,
  spent: { cause?: unknown; logs?: readonly LogLine[] } = {},
): HandlerFailure {
  return new HandlerFailure(code, `Cannot run the script '${shown(source)}': ${what}`, spent);
}

function shown(path: string): string {
  return oneLine(path, 256);
}
