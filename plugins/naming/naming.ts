import { select } from 'hookvisor:hook/document@0.1.0';
import type { Event, Outcome } from 'hookvisor:hook/types@0.1.0';
import { json } from 'hookvisor:hook/settings@0.1.0';
import { quote, readSettings } from './settings.js';

/** The operations that a denial ends cleanly; whatever comes later has happened already. */
const decided = new Set(['prepare', 'start', 'migrate', 'restore']);

/** Denies objects whose name or title is not what the administrator asks for. */
function handle(event: Event): Outcome {
  if (event.kind === 'daemon' || !decided.has(event.event)) return { tag: 'allow' };
  const settings = readSettings(json());
  if (!settings.pattern.test(event.name)) {
    return deny(`the name ${quote(event.name)} does not match ${settings.pattern.source}; rename the ${event.kind}`);
  }
  if (settings.titleRequired && event.kind === 'domain' && !hasTitle()) {
    return deny(`the domain has no title; add one to its XML: <title>what it is for</title>`);
  }
  return { tag: 'allow' };
}

function hasTitle(): boolean {
  return select('/domain/title').some((title) => title.trim() !== '');
}

function deny(reason: string): Outcome {
  return { tag: 'deny', val: reason };
}

/** What is thrown here becomes the `error` of the WIT function's result. */
function validate(): void {
  readSettings(json());
}

export const handler = { handle };
export const configurable = { validate };
