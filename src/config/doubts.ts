import { catalog, kindOf } from '../libvirt/catalog.js';
import type { Route, RouteMatch } from './config.js';
import { type MatchedWords, mayMatch } from './may-match.js';
import { nearest } from './nearest.js';
import { quote } from './quote.js';
import { eventsScriptHandler } from './references.js';

/** The operations for which libvirt calls its hooks, in the words of a route. */
const operations: readonly MatchedWords[] = catalog.map(({ driver, event, qualifier }) => ({
  kind: kindOf(driver),
  driver,
  event,
  qualifier,
}));

const fields = ['kind', 'driver', 'event', 'qualifier'] as const;
type Field = (typeof fields)[number];

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

function mistypedIn(match: RouteMatch, field: Field): string[] {
  return unknownIn(match, field).flatMap((word) => {
    const near = nearest(word, knownIn(field));
    return near === null ? [] : [`libvirt has no ${field} ${quote(word)}; did you mean '${near}'?`];
  });
}

/** Whether an operation matches, or a word is of those that nobody here knows. */
function mayHappen(match: RouteMatch): boolean {
  return (
    fields.some((field) => unknownIn(match, field).length > 0) ||
    operations.some((operation) => mayMatch(match, operation))
  );
}

function unknownIn(match: RouteMatch, field: Field): readonly string[] {
  return (match[field] ?? []).filter((word) => !knownIn(field).includes(word));
}

function knownIn(field: Field): readonly string[] {
  return operations.map((operation) => operation[field]);
}
