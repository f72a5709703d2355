import type { Route, RouteMatch } from '../config/config.js';
import { type MatchedWords, mayMatch } from '../config/may-match.js';
import { HookvisorError } from '../errors.js';
import type { HookEvent } from '../event.js';
import { createNameIndex, type NameIndex, type NameRule } from './name-index.js';

type Subject = MatchedWords & Pick<HookEvent, 'name'>;

/** Returns the handlers of an event in the order in which they run, each at most once. */
export type Router<T> = (event: Subject) => readonly T[];

interface Rule<T> extends NameRule<T> {
  readonly match: RouteMatch;
}

/** Bounds of the cache of field combinations: their number and length; libvirt has about 50, all short. */
const rememberedCombinations = 256;
const rememberedChars = 256;

/**
 * Creates the function that selects the handlers of an event: every matching route adds its handlers in order; a
 * handler in several routes keeps its first position. Candidate routes are cached by all fields except the name, so
 * that the cost of an event hardly depends on the number of routes. `T` is what the caller stores under the name of a
 * handler. Throws HookvisorError `config-invalid` for an unknown name.
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
    // The key contains lengths, because these strings may contain any separator.
    const { kind, driver, event: operation, qualifier } = event;
    const key = `${kind.length} ${driver.length} ${operation.length} ${kind}${driver}${operation}${qualifier}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const index = createNameIndex(rules.filter(({ match }) => mayMatch(match, event)));
    // Senders of events can invent combinations; clearing the cache bounds its memory.
    if (remembered.size >= rememberedCombinations) remembered.clear();
    if (key.length <= rememberedChars) remembered.set(key, index);
    return index;
  };

  return (event) => indexFor(event)(event.name);
}

function handlerNamed<T>(handlers: ReadonlyMap<string, T>, name: string): T {
  const handler = handlers.get(name);
  if (handler === undefined) {
    throw new HookvisorError('config-invalid', `Cannot route to handler '${name}': it does not exist; define it`);
  }
  return handler;
}
