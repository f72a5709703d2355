import type { HookEvent } from '../../contract/event.js';
import type { RouteMatch } from './config.js';

/** The fields that a route matches besides the name of the object. */
export type MatchedWords = Pick<HookEvent, 'kind' | 'driver' | 'event' | 'qualifier'>;

/** Tells whether a route matches these fields; the name is not checked. */
export function mayMatch(match: RouteMatch, event: MatchedWords): boolean {
  return (
    (match.kind?.includes(event.kind) ?? true) &&
    (match.driver?.includes(event.driver) ?? true) &&
    (match.event?.includes(event.event) ?? true) &&
    (match.qualifier?.includes(event.qualifier) ?? true)
  );
}
