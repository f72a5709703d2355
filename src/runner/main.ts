/**
 * Entry point of a runner process. It loads admitted artefacts and evaluates events, one request after the other, over
 * stdin and stdout. It exits when stdin ends, so it never outlives the runtime.
 */
import { readSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Artefact } from '../contract/artefact.js';
import type { Guest, GuestBackend } from './guest.js';
import { HookvisorError, messageOf } from '../contract/errors.js';
import { FrameReader } from '../contract/framing.js';
import { bounds } from '../contract/limits.js';
import { optimizeSoon } from '../shared/optimize-soon.js';
import { HandlerFailure } from '../contract/outcome.js';
import type { Evaluation, LogLine } from '../contract/outcome.js';
import { oneLine } from '../contract/text.js';
import { collectSeldom } from './collect-seldom.js';
import { keepLoopAlive } from './keep-loop-alive.js';
import { artefactBytes, decodeArtefact } from '../contract/artefact-codec.js';
import { decodeRequest, encodeReply, isKnownErrorCode } from '../contract/messages.js';
import type { RunnerReply, RunnerRequest, RunnerUsage } from '../contract/messages.js';

interface Answer {
  readonly reply: RunnerReply;
  readonly tail: Buffer | null;
}

/** Loaded on first use: a runner without Extism plug-ins does not pay for the SDK. */
const backends: Record<Artefact['backend'], () => Promise<GuestBackend>> = {
  component: async () => (await import('./component.js')).loadComponent,
  extism: async () => (await import('./extism.js')).loadExtism,
};

const guests = new Map<number, Guest>();

async function answer(request: RunnerRequest, tail: Buffer): Promise<Answer> {
  switch (request.kind) {
    case 'load': {
      const artefact = decodeArtefact(tail);
      const load = await backends[artefact.backend]();
      guests.set(request.handler, await load({ artefact, settings: request.settings, limits: request.limits }));
      return { reply: { kind: 'done' }, tail: null };
    }
    case 'unload':
      guests.delete(request.handler);
      return { reply: { kind: 'done' }, tail: null };
    case 'validate': {
      const objection = await guestOf(request.handler).validate();
      const text = objection === null ? null : oneLine(objection, bounds.reasonChars);
      return { reply: { kind: 'validated', objection: text }, tail: null };
    }
    case 'prepare': {
      const began = performance.now();
      const made = await guestOf(request.handler).prepare();
      return { reply: { kind: 'prepared', made, tookMs: performance.now() - began }, tail: null };
    }
    case 'shrink':
      for (const guest of guests.values()) guest.shrink(request.keep);
      collectGarbage();
      return { reply: { kind: 'done' }, tail: null };
    case 'usage':
      return { reply: { kind: 'usage', usage: usage() }, tail: null };
    case 'evaluate': {
      const document = request.document ? tail : null;
      return evaluated(await guestOf(request.handler).evaluate({ event: request.event, document }));
    }
  }
}

function guestOf(handler: number): Guest {
  const guest = guests.get(handler);
  if (guest === undefined) throw new HandlerFailure('unavailable', `handler ${handler} is not loaded in this runner`);
  return guest;
}

function evaluated({ outcome, fuel, logs }: Evaluation): Answer {
  const document = outcome.outcome === 'replace' ? outcome.document : null;
  if (document !== null && document.length > bounds.documentBytes) {
    const size = `${document.length} bytes, ${bounds.documentBytes} are allowed`;
    throw new HandlerFailure('protocol', `the replaced document is too large: ${size}`, { fuel, logs });
  }
  const reason = outcome.outcome === 'deny' ? outcome.reason.slice(0, bounds.reasonChars) : '';
  return {
    reply: { kind: 'evaluated', outcome: outcome.outcome, reason, fuel, logs: bounded(logs) },
    tail: document,
  };
}

function failed(error: unknown): Answer {
  const known = error instanceof HookvisorError && isKnownErrorCode(error.code) ? error.code : 'internal';
  const failure = error instanceof HandlerFailure ? error : null;
  return {
    reply: {
      kind: 'failed',
      code: known,
      failure: failure?.failure ?? null,
      message: oneLine(messageOf(error), bounds.reasonChars),
      fuel: failure?.fuel ?? null,
      logs: bounded(failure?.logs ?? []),
    },
    tail: null,
  };
}

/** One line more than the limit: the line that states how many were dropped. */
function bounded(logs: readonly LogLine[]): LogLine[] {
  return logs
    .slice(0, bounds.logLines + 1)
    .map(({ level, message }) => ({ level, message: message.slice(0, bounds.logChars) }));
}

/** Returns figures for the supervisor, which replaces a process before it reaches a limit of the kernel. */
function usage(): RunnerUsage {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { cpuMs: (userCPUTime + systemCPUTime) / 1_000, rssBytes: residentBytes() ?? maxRSS * 1_024 };
}

/** Returns null if /proc is not accessible. */
function residentBytes(): number | null {
  try {
    return process.memoryUsage.rss();
  } catch {
    return null;
  }
}

/**
 * Collects garbage twice. V8 rarely collects while nothing is allocated, and each released instance holds megabytes.
 * Threads of V8 return the memories to the system: the second collection waits for the work that the first one started.
 * Without it, the next usage report would include those memories, and the runtime might replace this process because of
 * them.
 */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc(); gc()');
}

/**
 * Serves requests with blocking reads and writes: a runner has nothing else to do between two requests, and the event
 * loop costs more than most plug-ins. The loop gets a turn after each answer, for tasks that V8 has deferred.
 */
async function serve(): Promise<void> {
  // The parent is trusted, and its messages may be as large as an artefact.
  const frames = new FrameReader(artefactBytes + 1024 * 1024);
  const chunk = Buffer.allocUnsafe(65_536);
  for (;;) {
    const size = readSync(0, chunk);
    if (size === 0) return;
    // A copy, because the frame reader keeps incomplete frames. A new buffer of this size for each request would be
    // most of a runner's garbage.
    for (const frame of frames.push(Buffer.from(chunk.subarray(0, size)))) {
      const { head, tail } = decodeRequest(frame);
      const { reply, tail: document } = await answer(head.body, tail).catch(failed);
      const bytes = encodeReply(head.id, reply, document);
      for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
    }
    await setImmediate();
  }
}

function die(error: unknown): never {
  process.stderr.write(`error: ${oneLine(messageOf(error), bounds.reasonChars)}\n`);
  process.exit(70);
}

// stdout is reserved for frames: the output of libraries goes to stderr.
optimizeSoon();
collectSeldom();
keepLoopAlive();
globalThis.console = new console.Console(process.stderr);
process.on('uncaughtException', die);
process.on('unhandledRejection', die);
serve().then(() => process.exit(0), die);
