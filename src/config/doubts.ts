import { catalog, kindOf } from '../libvirt/catalog.js';
import { bounds } from '../limits.js';
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

const known: Readonly<Record<Field, ReadonlySet<string>>> = {
  kind: wordsIn('kind'),
  driver: wordsIn('driver'),
  event: wordsIn('event'),
  qualifier: wordsIn('qualifier'),
};

/**
 * What is probably not meant in a configuration that is valid: routes that no event of libvirt takes, a sentence each. A word
 * that is like none of the catalog's is left alone, since a newer libvirt may say it, and whoever emits events.
 */
export function doubtsOf(routes: readonly Route[]): readonly string[] {
  const doubts: string[] = [];
  for (const [at, { match, handlers }] of routes.entries()) {
    // The last route is that of the events script, where there is one.
    const isScripts = at === routes.length - 1 && handlers[0] === eventsScriptHandler;
    const mistyped = fields.flatMap((field) =>
      mistypedIn(match, field).map((what) => `${isScripts ? 'events_set' : `routes[${at}].match.${field}`}: ${what}`),
    );
    doubts.push(...mistyped);
    if (mistyped.length === 0 && !mayHappen(match)) {
      doubts.push(`routes[${at}].match: no operation of libvirt has ${wordsOf(match)}; its handlers are never asked`);
    }
    if (doubts.length <= bounds.listedProblems) continue;
    return [...doubts.slice(0, bounds.listedProblems), `there are more routes of this kind; correct these first`];
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

/** Whether an operation matches, or a word is of those that nobody here knows. */
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
