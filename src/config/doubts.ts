import { catalog, kindOf } from '../libvirt/catalog.js';
import type { Route, RouteMatch } from './config.js';
import { nearest } from './nearest.js';
import { quote } from './quote.js';
import { eventsScriptHandler } from './references.js';

/** The "events scripts" RFC's words for libvirt's `begin` and `end`. */
const rfcQualifiers = ['before', 'after'];

const all = (of: (operation: (typeof catalog)[number]) => string): readonly string[] => [...new Set(catalog.map(of))];

/** The words with which libvirt calls its hooks, as far as the catalog knows them. */
const known = {
  kind: all(({ driver }) => kindOf(driver)),
  driver: all(({ driver }) => driver),
  event: all(({ event }) => event),
  qualifier: [...all(({ qualifier }) => qualifier), ...rfcQualifiers],
} as const;

const fields = ['kind', 'driver', 'event', 'qualifier'] as const;

/**
 * What is probably not meant in a configuration that is valid: routes that no event of libvirt takes, a sentence each. A word
 * that is like none of the catalog's is left alone, since a newer libvirt may say it, and whoever emits events.
 */
export function doubtsOf(routes: readonly Route[]): readonly string[] {
  return routes.flatMap(({ match, handlers }, at) => {
    // The last route is that of the events script, where there is one.
    const isScripts = at === routes.length - 1 && handlers[0] === eventsScriptHandler;
    const mistyped = fields.flatMap((field) =>
      mistypedIn(match, field).map((what) => `${isScripts ? 'events_set' : `routes[${at}].match.${field}`}: ${what}`),
    );
    if (mistyped.length > 0 || mayHappen(match)) return mistyped;
    return [`routes[${at}].match: no operation of libvirt has ${wordsOf(match)}; its handlers are never asked`];
  });
}

function wordsOf(match: RouteMatch): string {
  return fields
    .flatMap((field) => (match[field] === undefined ? [] : [`the ${field} ${match[field].map(quote).join(' or ')}`]))
    .join(' and ');
}

function mistypedIn(match: RouteMatch, field: (typeof fields)[number]): string[] {
  return (match[field] ?? []).flatMap((word) => {
    if (known[field].includes(word)) return [];
    const near = nearest(word, known[field]);
    return near === null ? [] : [`libvirt has no ${field} ${quote(word)}; did you mean '${near}'?`];
  });
}

/** Whether an operation matches, or a word is of those that nobody here knows. */
function mayHappen(match: RouteMatch): boolean {
  if (fields.some((field) => match[field]?.some((word) => !known[field].includes(word)))) return true;
  return catalog.some(
    ({ driver, event, qualifier }) =>
      (match.kind?.includes(kindOf(driver)) ?? true) &&
      (match.driver?.includes(driver) ?? true) &&
      (match.event?.includes(event) ?? true) &&
      (match.qualifier?.some((word) => word === qualifier || word === rfcWordFor(qualifier)) ?? true),
  );
}

function rfcWordFor(qualifier: string): string {
  const at = ['begin', 'end'].indexOf(qualifier);
  return rfcQualifiers[at] ?? qualifier;
}
