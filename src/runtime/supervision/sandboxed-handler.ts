import type { Handler } from '../backend.js';
import type { HookCall } from '../../contract/event.js';
import { whyNotPlain } from '../../shared/xml/plain-xml.js';
import { bounds } from '../../contract/limits.js';
import { HandlerFailure } from '../../contract/outcome.js';
import type { Evaluation, Outcome } from '../../contract/outcome.js';
import type { Answer, Lost } from './runner.js';
import type { Supervisor } from './supervisor.js';

export interface SandboxedHandlerOptions {
  readonly supervisor: Supervisor;
  /** Number of the plug-in in the runner. */
  readonly guest: number;
  readonly name: string;
  readonly digest: string;
  readonly deadlineMs: number;
  /** Called once, after disposal, when the last evaluation has been answered. */
  readonly release: () => Promise<void>;
}

/** Creates a handler whose plug-in is loaded in a runner. */
export function createSandboxedHandler(options: SandboxedHandlerOptions): Handler {
  const { supervisor, guest, name, digest, deadlineMs } = options;
  let running = 0;
  let drained: (() => void) | null = null;
  let disposal: Promise<void> | null = null;

  const dispose = async (): Promise<void> => {
    if (running > 0) {
      await new Promise<void>((resolve) => {
        drained = resolve;
      });
    }
    supervisor.unload(guest);
    await options.release();
  };

  return {
    digest,
    evaluate({ event, document }: HookCall, mostMs = deadlineMs) {
      return new Promise((resolve, reject) => {
        if (disposal !== null)
          throw new HandlerFailure('unavailable', `Cannot decide with handler '${name}': it is closed`);
        if (document !== null) checkDocument(name, document);
        running += 1;
        supervisor.submit({
          request: { kind: 'evaluate', handler: guest, event, document: document !== null },
          tail: document,
          deadlineMs: Math.min(deadlineMs, mostMs),
          done(answer) {
            running -= 1;
            try {
              resolve(evaluationOf(name, answer));
            } catch (error) {
              reject(error instanceof Error ? error : new Error(String(error)));
            }
            if (running === 0) drained?.();
          },
        });
      });
    },
    [Symbol.asyncDispose]: () => (disposal ??= dispose()),
  };
}

function checkDocument(name: string, document: Buffer): void {
  const refuse = (what: string): HandlerFailure =>
    new HandlerFailure('document', `Cannot decide with handler '${name}': the document ${what}`);
  if (document.length > bounds.documentBytes) {
    throw refuse(
      `has ${document.length} bytes, plug-ins accept at most ${bounds.documentBytes}; use a script for this event`,
    );
  }
  // libvirt would read it differently, and the user chooses the document of a managed restore (virDomainRestoreFlags).
  const problem = whyNotPlain(document);
  if (problem !== null) throw refuse(`${problem}; use a script for this event`);
}

function evaluationOf(name: string, answer: Answer | Lost): Evaluation {
  if ('failure' in answer) {
    const advice = answer.failure === 'deadline' ? "; raise its 'deadline' or make the plug-in faster" : '';
    throw new HandlerFailure(answer.failure, `Cannot decide with handler '${name}': ${answer.message}${advice}`);
  }
  const { reply } = answer;
  if (reply.kind === 'evaluated') {
    return { outcome: outcomeOf(reply.outcome, reply.reason, answer.tail), fuel: reply.fuel, logs: reply.logs };
  }
  if (reply.kind === 'failed') {
    throw new HandlerFailure(reply.failure ?? 'unavailable', reply.message, { fuel: reply.fuel, logs: reply.logs });
  }
  throw new HandlerFailure(
    'protocol',
    `Cannot decide with handler '${name}': its runner sent a reply of the wrong kind`,
  );
}

function outcomeOf(outcome: Outcome['outcome'], reason: string, document: Buffer): Outcome {
  if (outcome === 'deny') return { outcome, reason };
  // Copied, because the reply may share its memory with other frames.
  return outcome === 'replace' ? { outcome, document: Buffer.from(document) } : { outcome };
}
