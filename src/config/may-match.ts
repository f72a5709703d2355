import type { HookEvent } from '../event.js';
import type { RouteMatch } from './config.js';

/** What a route matches besides the object's name. */
export type MatchedWords = Pick<HookEvent, 'kind' | 'driver' | 'event' | 'qualifier'>;

/** Whether the route matches as far as everything but the name is concerned. */
export function mayMatch(match: RouteMatch, event: MatchedWords): boolean {
  return (
    (match.kind?.includes(event.kind) ?? true) &&
    (match.driver?.includes(event.driver) ?? true) &&
    (match.event?.includes(event.event) ?? true) &&
    (match.qualifier?.includes(event.qualifier) ?? true)
  );
}
