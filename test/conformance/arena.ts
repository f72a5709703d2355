import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Artefact } from '../../src/backends/artefact.js';
import type { Handler } from '../../src/backends/backend.js';
import type { HandlerConfig } from '../../src/config/config.js';
import type { HookCall } from '../../src/event.js';
import { HandlerFailure } from '../../src/outcome.js';
import type { FailureCode, LogLine } from '../../src/outcome.js';
import { handlerConfig, hookCall, openSandbox } from '../sandbox/support.js';
import type { Opened } from '../sandbox/support.js';

/** Room for a reason of 100 MB, so that the guest can make one. */
export const arenaLimits: HandlerConfig['limits'] = {
  deadlineMs: 4_000,
  fuel: 50_000_000,
  memoryBytes: 128 * 1024 * 1024,
};

/** How one evaluation ended, whether in an outcome or in a failure. */
export interface Ending {
  readonly outcome: string | null;
  /** Reason or replaced document. */
  readonly text: string;
  readonly failure: FailureCode | null;
  readonly message: string;
  readonly fuel: number | null;
  readonly logs: readonly LogLine[];
}

/** A sandbox with a well-behaved handler, beside which hostile ones are let loose in the same trust group. */
export interface Arena extends AsyncDisposable {
  readonly opened: Opened;
  /** Loads a plugin from bytes into the neighbour's trust group. */
  load(backend: Artefact['backend'], bytes: Buffer, changes?: Partial<HandlerConfig>): Promise<Handler>;
  /** The neighbour answers, at once. */
  neighbourAnswers(): Promise<void>;
}

export async function openArena(): Promise<Arena> {
  const opened = await openSandbox();
  const neighbour = await opened.sandbox.backend('component').load(handlerConfig({ name: 'neighbour' }));
  let files = 0;
  return {
    opened,
    async load(backend, bytes, changes = {}) {
      const source = join(opened.folder, `${(files += 1)}.wasm`);
      await writeFile(source, bytes);
      const config = handlerConfig({ name: 'hostile', backend, source, limits: arenaLimits, ...changes });
      return opened.sandbox.backend(backend).load(config);
    },
    async neighbourAnswers() {
      expect((await neighbour.evaluate(hookCall())).outcome).toEqual({ outcome: 'allow' });
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/** Lets a handler decide; it must end within its deadline and one second. */
export async function endingOf(handler: Handler, call: HookCall, deadlineMs = arenaLimits.deadlineMs): Promise<Ending> {
  const began = performance.now();
  const ending = await handler.evaluate(call).then(
    ({ outcome, fuel, logs }) => ({ ...decided(outcome), failure: null, message: '', fuel, logs }),
    (error: unknown) => {
      if (!(error instanceof HandlerFailure)) throw error;
      const { failure, message, fuel, logs } = error;
      return { outcome: null, text: '', failure, message, fuel, logs };
    },
  );
  expect(performance.now() - began).toBeLessThan(deadlineMs + 1_000);
  return ending;
}

function decided(outcome: Awaited<ReturnType<Handler['evaluate']>>['outcome']): { outcome: string; text: string } {
  if (outcome.outcome === 'deny') return { outcome: 'deny', text: outcome.reason };
  return { outcome: outcome.outcome, text: outcome.outcome === 'replace' ? outcome.document.toString() : '' };
}

/** An event whose id wakes a guest. */
export function wakingCall(id: string, document: string | null = '<domain><name>tiny</name></domain>'): HookCall {
  const { event } = hookCall();
  return { event: { ...event, id }, document: document === null ? null : Buffer.from(document) };
}
