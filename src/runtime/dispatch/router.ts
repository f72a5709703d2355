import type { Route } from '../config/config.js';
import { type MatchedWords, mayMatch } from '../config/may-match.js';
import { HookvisorError } from '../../contract/errors.js';
import type { HookEvent } from '../../contract/event.js';
import { atOnce, inSlices, type Work } from '../slices.js';
import { createNameIndex, type NameIndex, readNames } from './name-index.js';

type Subject = MatchedWords & Pick<HookEvent, 'name'>;

/** Returns the handlers of an event in the order in which they run, each at most once. */
export type Router<T> = (event: Subject) => readonly T[];

interface RouterConfig<T> {
  readonly routes: readonly Route[];
  readonly handlers: ReadonlyMap<string, T>;
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
export function createRouter<T>(config: RouterConfig<T>): Router<T> {
  return atOnce(buildRouter(config));
}

/** Does the same as {@link createRouter}, but lets events be answered in between. */
export async function createRouterInSlices<T>(config: RouterConfig<T>): Promise<Router<T>> {
  return inSlices(buildRouter(config));
}

function* buildRouter<T>({ routes, handlers }: RouterConfig<T>): Work<Router<T>> {
  const values: (readonly T[])[] = [];
  for (const route of routes) {
    const own: T[] = [];
    for (const name of route.handlers) {
      yield;
      own.push(handlerNamed(handlers, name));
    }
    values.push(own);
  }
  const names = yield* readNames(routes.map(({ match }) => match.name ?? null));
  const remembered = new Map<string, NameIndex<T>>();

  const indexFor = (event: Subject): NameIndex<T> => {
    // The key contains lengths, because these strings may contain any separator.
    const { kind, driver, event: operation, qualifier } = event;
    const key = `${kind.length} ${driver.length} ${operation.length} ${kind}${driver}${operation}${qualifier}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const matching = values.map((own, at) => (mayMatch(routes[at]?.match ?? {}, event) ? own : null));
    const index = createNameIndex(names, matching);
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
