import type { Route, RouteMatch } from '../config/config.js';
import { type MatchedWords, mayMatch } from '../config/may-match.js';
import { HookvisorError } from '../errors.js';
import type { HookEvent } from '../event.js';
import { createNameIndex, type NameIndex, type NameRule } from './name-index.js';

type Subject = MatchedWords & Pick<HookEvent, 'name'>;

/** The handlers of an event, in the order in which they run; each at most once. */
export type Router<T> = (event: Subject) => readonly T[];

interface Rule<T> extends NameRule<T> {
  readonly match: RouteMatch;
}

/** Most combinations of kind, driver, event and qualifier remembered, and the longest; libvirt has about 50, all short. */
const rememberedCombinations = 256;
const rememberedChars = 256;

/**
 * Makes the function that picks an event's handlers: every route that matches adds its handlers, first to last; a
 * handler named by several stands at its first place. The routes that can match are looked up by all fields but the
 * name once and remembered, so that an event costs about the same however many routes there are.
 * `T` is whatever the caller keeps under a handler's name. Throws HookvisorError `config-invalid` on a name without one.
 */
export function createRouter<T>(config: {
  readonly routes: readonly Route[];
  readonly handlers: ReadonlyMap<string, T>;
}): Router<T> {
  const rules = config.routes.map((route): Rule<T> => ({
    match: route.match,
    names: route.match.name ?? null,
    values: route.handlers.map((name) => handlerNamed(config.handlers, name)),
  }));
  const remembered = new Map<string, NameIndex<T>>();

  const indexFor = (event: Subject): NameIndex<T> => {
    // With lengths, because these strings may hold any character that could be used to join them.
    const { kind, driver, event: operation, qualifier } = event;
    const key = `${kind.length} ${driver.length} ${operation.length} ${kind}${driver}${operation}${qualifier}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const index = createNameIndex(rules.filter(({ match }) => mayMatch(match, event)));
    // Whoever can send events can invent combinations; forgetting all of them keeps the memory bounded.
    if (remembered.size >= rememberedCombinations) remembered.clear();
    if (key.length <= rememberedChars) remembered.set(key, index);
    return index;
  };

  return (event) => indexFor(event)(event.name);
}

function handlerNamed<T>(handlers: ReadonlyMap<string, T>, name: string): T {
  const handler = handlers.get(name);
  if (handler === undefined) {
    throw new HookvisorError('config-invalid', `Cannot route to handler '${name}': there is none; define it`);
  }
  return handler;
}
