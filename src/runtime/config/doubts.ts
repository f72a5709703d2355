import { catalog, kindOf } from '../libvirt/catalog.js';
import { bounds } from '../../contract/limits.js';
import type { Route, RouteMatch } from './config.js';
import { type MatchedWords, mayMatch } from './may-match.js';
import { nearest } from './nearest.js';
import { quote } from './quote.js';
import { eventsScriptHandler } from './references.js';

/** The operations for which libvirt calls hooks, in the terms of a route. */
const operations: readonly MatchedWords[] = catalog.map(({ driver, event, qualifier }) => ({
  kind: kindOf(driver),
  driver,
  event,
  qualifier,
}));

const fields = ['kind', 'driver', 'event', 'qualifier'] as const;
type Field = (typeof fields)[number];

const known: Readonly<Record<Field, ReadonlySet<string>>> = {
  kind: wordsIn('kind'),
  driver: wordsIn('driver'),
  event: wordsIn('event'),
  qualifier: wordsIn('qualifier'),
};

/**
 * Returns warnings about a valid configuration: routes that match no event of libvirt. A word that resembles none in
 * the catalog gets no warning, since a newer libvirt or `hookvisor emit` may use it.
 */
export function doubtsOf(routes: readonly Route[]): readonly string[] {
  const doubts: string[] = [];
  for (const [at, { match, handlers }] of routes.entries()) {
    // The last route is that of the events script, if there is one.
    const isScripts = at === routes.length - 1 && handlers[0] === eventsScriptHandler;
    const mistyped = fields.flatMap((field) =>
      mistypedIn(match, field).map((what) => `${isScripts ? 'events_set' : `routes[${at}].match.${field}`}: ${what}`),
    );
    doubts.push(...mistyped);
    if (mistyped.length === 0 && !mayHappen(match)) {
      doubts.push(
        `routes[${at}].match: no operation of libvirt has ${wordsOf(match)}, so its handlers never run; correct the route or remove it`,
      );
    }
    if (doubts.length <= bounds.listedProblems) continue;
    return [...doubts.slice(0, bounds.listedProblems), `more routes match no event; correct these first`];
  }
  return doubts;
}

function wordsOf(match: RouteMatch): string {
  return fields
    .flatMap((field) => (match[field] === undefined ? [] : [`the ${field} ${shown(match[field])}`]))
    .join(' and ');
}

function shown(words: readonly string[]): string {
  const more = words.length > 8 ? ', …' : '';
  return `${words.slice(0, 8).map(quote).join(' or ')}${more}`;
}

function mistypedIn(match: RouteMatch, field: Field): string[] {
  return unknownIn(match, field).flatMap((word) => {
    const near = nearest(word, [...known[field]]);
    return near === null ? [] : [`libvirt has no ${field} ${quote(word)}; did you mean '${near}'?`];
  });
}

/** Tells whether an operation may match: its word is listed, or the route has a word that is not in the catalog. */
function mayHappen(match: RouteMatch): boolean {
  return (
    fields.some((field) => unknownIn(match, field).length > 0) ||
    operations.some((operation) => mayMatch(match, operation))
  );
}

function unknownIn(match: RouteMatch, field: Field): readonly string[] {
  return (match[field] ?? []).filter((word) => !known[field].has(word));
}

function wordsIn(field: Field): ReadonlySet<string> {
  return new Set(operations.map((operation) => operation[field]));
}
