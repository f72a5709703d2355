/// <reference path="../../guest/types/hookvisor.d.ts" preserve="true" />
/**
 * `hookvisor/guest`: what a handler in TypeScript needs. It is bundled into the plugin; outside of a plugin there is no
 * host to answer it.
 */
import { select as hostSelect, text } from 'hookvisor:hook/document@0.1.0';
import { write } from 'hookvisor:hook/log@0.1.0';
import { json } from 'hookvisor:hook/settings@0.1.0';
import type { Event, Outcome } from 'hookvisor:hook/types@0.1.0';

export type { Event, Outcome } from 'hookvisor:hook/types@0.1.0';
export { seededRandom } from './seeded-random.js';

/** The export `handler` of a plugin. What it throws is a failure, never a denial. */
export interface Handler {
  handle(event: Event): Outcome;
}

/** The export `configurable` of a plugin, which may be left out. What it throws is its objection to the settings. */
export interface Configurable {
  validate(): void;
}

/** No objection: the next handler is asked. */
export function allow(): Outcome {
  return { tag: 'allow' };
}

/** The operation must not happen; whoever asked for it is shown the reason. */
export function deny(reason: string): Outcome {
  return { tag: 'deny', val: reason };
}

/** Go on with this document: at `migrate` and `restore`, with the grant `replace`, with the same name and UUID. */
export function replace(xml: string): Outcome {
  return { tag: 'replace', val: xml };
}

/**
 * The string value of each node that an XPath 1.0 expression finds in the document, in its order; one string for a
 * number, a string or a boolean. Throws when there is no document, or it is not XML: let that be a failure.
 */
export function select(xpath: string): string[] {
  try {
    return hostSelect(xpath);
  } catch (error) {
    throw new Error(`cannot select ${xpath}: ${problemOf(error)}`, { cause: error });
  }
}

/** The whole document; null when the event has none. */
export function document(): string | null {
  return text() ?? null;
}

/**
 * The settings from the configuration, with defaults for those that are not given. The type is your promise: check it in
 * `validate`.
 */
export function settings<T extends object = Record<string, unknown>>(defaults?: Partial<T>): T {
  // Only the plugin knows what its settings are.
  return { ...defaults, ...JSON.parse(json()) } as T;
}

/** Messages for the administrator's journal. */
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

/** Hostile text, such as a name, as it may stand in a reason: in quotes, escaped, short. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 63)}…` : text);
}

/** A WIT error arrives as an exception with the value in `payload`. */
function problemOf(error: unknown): string {
  const payload = error instanceof Error && 'payload' in error ? error.payload : null;
  if (typeof payload !== 'object' || payload === null || !('tag' in payload)) return String(error);
  const detail = 'val' in payload ? ` (${String(payload.val)})` : '';
  return `${String(payload.tag)}${detail}`;
}
