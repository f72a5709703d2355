import type { Route } from '../config/config.js';
import { type MatchedWords, mayMatch } from '../config/may-match.js';
import { HookvisorError } from '../errors.js';
import type { HookEvent } from '../event.js';
import { atOnce, inSlices, type Work } from '../slices.js';
import { createNameIndex, type NameIndex, readNames } from './name-index.js';

type Subject = MatchedWords & Pick<HookEvent, 'name'>;

/** The handlers of an event, in the order in which they run; each at most once. */
export type Router<T> = (event: Subject) => readonly T[];

interface RouterConfig<T> {
  readonly routes: readonly Route[];
  readonly handlers: ReadonlyMap<string, T>;
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
export function createRouter<T>(config: RouterConfig<T>): Router<T> {
  return atOnce(buildRouter(config));
}

/** As {@link createRouter}, while events are answered in between. */
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
    // With lengths, because these strings may hold any character that could be used to join them.
    const { kind, driver, event: operation, qualifier } = event;
    const key = `${kind.length} ${driver.length} ${operation.length} ${kind}${driver}${operation}${qualifier}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const matching = values.map((own, at) => (mayMatch(routes[at]?.match ?? {}, event) ? own : null));
    const index = createNameIndex(names, matching);
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
