/// <reference path="../../guest/types/hookvisor.d.ts" preserve="true" />
/**
 * `hookvisor/guest`: the library for handlers in TypeScript. It is bundled into the plug-in and works only there,
 * because it calls the host.
 */
import { select as hostSelect, text } from 'hookvisor:hook/document@0.1.0';
import { write } from 'hookvisor:hook/log@0.1.0';
import { json } from 'hookvisor:hook/settings@0.1.0';
import type { Event, Outcome } from 'hookvisor:hook/types@0.1.0';

export type { Event, Outcome } from 'hookvisor:hook/types@0.1.0';
export { seededRandom } from './seeded-random.js';

/** The export `handler` of a plug-in. An exception is a failure, never a denial. */
export interface Handler {
  handle(event: Event): Outcome;
}

/** The export `configurable` of a plug-in, which is optional. An exception rejects the settings. */
export interface Configurable {
  validate(): void;
}

/** Returns an outcome without objection: the next handler is called. */
export function allow(): Outcome {
  return { tag: 'allow' };
}

/** Returns a denial: the operation must not happen. The user who requested it sees the reason. */
export function deny(reason: string): Outcome {
  return { tag: 'deny', val: reason };
}

/**
 * Returns a replacement: the operation continues with this document. Valid for `migrate` and `restore`, with the grant
 * `replace`, and with the same name and UUID.
 */
export function replace(xml: string): Outcome {
  return { tag: 'replace', val: xml };
}

/**
 * Returns the string value of each node that an XPath 1.0 expression finds, in document order; one string for a number,
 * a string or a boolean. Throws if there is no document or if it is not XML: do not catch this, so that it counts as a
 * failure.
 */
export function select(xpath: string): string[] {
  try {
    return hostSelect(xpath);
  } catch (error) {
    throw new Error(`cannot select ${xpath}: ${problemOf(error)}`, { cause: error });
  }
}

/** Returns the whole document; null if the event has none. */
export function document(): string | null {
  return text() ?? null;
}

/**
 * Returns the settings from the configuration, with defaults for those that are missing. The type is not checked: check
 * the settings in `validate`.
 */
export function settings<T extends object = Record<string, unknown>>(defaults?: Partial<T>): T {
  // Only the plug-in knows the type of its settings.
  return { ...defaults, ...JSON.parse(json()) } as T;
}

/** Writes messages to the administrator's journal. */
export const log = {
  debug: (message: string): void => {
    write('debug', message);
  },
  info: (message: string): void => {
    write('info', message);
  },
  warn: (message: string): void => {
    write('warn', message);
  },
  error: (message: string): void => {
    write('error', message);
  },
};

/** Returns hostile text, such as a name, in a form that is safe in a reason: quoted, escaped and shortened. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 63)}…` : text);
}

/** Returns the text of an error. A WIT error is thrown as an exception with the value in `payload`. */
function problemOf(error: unknown): string {
  const payload = error instanceof Error && 'payload' in error ? error.payload : null;
  if (typeof payload !== 'object' || payload === null || !('tag' in payload)) return String(error);
  const detail = 'val' in payload ? ` (${String(payload.val)})` : '';
  return `${String(payload.tag)}${detail}`;
}
