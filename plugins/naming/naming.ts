import { allow, deny, quote, select, type Configurable, type Handler } from 'hookvisor/guest';
import { readSettings } from './settings.js';

/** The operations for which a denial has no side effects. Later operations have already taken effect. */
const decided = new Set(['prepare', 'start', 'migrate', 'restore']);

/** Denies objects whose name or title does not follow the rules in the settings. */
export const handler: Handler = {
  handle(event) {
    if (event.kind === 'daemon' || !decided.has(event.event)) return allow();
    const { pattern, titleRequired } = readSettings();
    if (!pattern.test(event.name)) {
      return deny(`the name ${quote(event.name)} does not match ${pattern.source}; rename the ${event.kind}`);
    }
    if (titleRequired && event.kind === 'domain' && !hasTitle()) {
      return deny('the domain has no title; add one to its XML: <title>what it is for</title>');
    }
    return allow();
  },
};

function hasTitle(): boolean {
  return select('/domain/title').some((title) => title.trim() !== '');
}

/** Runs once, when the configuration is loaded. */
export const configurable: Configurable = {
  validate() {
    readSettings();
  },
};
