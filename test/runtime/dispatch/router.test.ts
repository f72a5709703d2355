import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Route, RouteMatch } from '../../../src/runtime/config/config.js';
import { compileGlob } from '../../../src/runtime/dispatch/glob.js';
import { createRouter } from '../../../src/runtime/dispatch/router.js';
import { eventOf } from '../../support/handlers.js';

const names = ['a', 'b', 'c', 'd', 'e'];
const handlers = new Map(names.map((name) => [name, name]));

function route(match: RouteMatch, ...chosen: string[]): Route {
  return { match, handlers: chosen };
}

describe('the router', () => {
  it('adds the handlers of every route that matches, in order', () => {
    const routes = [
      route({ kind: ['domain'] }, 'b', 'a'),
      route({ driver: ['lxc'] }, 'd'),
      route({ event: ['start', 'prepare'], name: ['x', 'ti*'] }, 'c'),
    ];
    expect(createRouter({ routes, handlers })(eventOf())).toEqual(['b', 'a', 'c']);
  });

  it('runs a handler that several routes name once, at its first place', () => {
    const routes = [route({}, 'a', 'b'), route({ name: ['tiny'] }, 'c', 'a'), route({}, 'b', 'd', 'd')];
    expect(createRouter({ routes, handlers })(eventOf())).toEqual(['a', 'b', 'c', 'd']);
  });

  it('gives no handlers when nothing matches, and when there are no routes', () => {
    expect(createRouter({ routes: [route({ qualifier: ['end'] }, 'a')], handlers })(eventOf())).toEqual([]);
    expect(createRouter({ routes: [], handlers })(eventOf())).toEqual([]);
  });

  it('is not confused by fields that hold separators', () => {
    const router = createRouter({ routes: [route({ driver: ['a'] }, 'a')], handlers });
    for (const separator of ['\0', '","', '\n']) {
      router(eventOf({ driver: `a${separator}b`, event: 'c' }));
      expect(router(eventOf({ driver: 'a', event: `b${separator}c` }))).toEqual(['a']);
      expect(router(eventOf({ driver: `a${separator}b`, event: 'c' }))).toEqual([]);
    }
  });

  it('answers the same after ten thousand invented combinations', () => {
    const router = createRouter({ routes: [route({ driver: ['qemu'] }, 'a')], handlers });
    for (let index = 0; index < 10_000; index++) {
      expect(router(eventOf({ driver: `invented-${String(index)}` }))).toEqual([]);
    }
    expect(router(eventOf())).toEqual(['a']);
  });

  it('refuses a route to a handler that does not exist', () => {
    expect(() => createRouter({ routes: [route({}, 'ghost')], handlers })).toThrow(
      "Cannot route to handler 'ghost': it does not exist; define it",
    );
  });

  it('agrees with the rule by rule definition on random routes', () => {
    const some = (...values: string[]): fc.Arbitrary<string[] | undefined> =>
      fc.option(fc.subarray(values, { minLength: 1 }), { nil: undefined });
    const field = fc.record({
      kind: some('domain', 'network'),
      driver: some('qemu', 'lxc'),
      name: some('tiny', 'vm', 't*', '*', 'v?'),
      event: some('prepare', 'start'),
      qualifier: some('begin', 'end'),
    });
    const match = field.map((all) =>
      Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    );
    const anyRoute = fc.record({ match, handlers: fc.array(fc.constantFrom(...names), { maxLength: 4 }) });
    const anyEvent = fc.record({
      kind: fc.constantFrom('domain', 'network', 'other'),
      driver: fc.constantFrom('qemu', 'lxc', 'other'),
      name: fc.constantFrom('tiny', 'vm', 'other', ''),
      event: fc.constantFrom('prepare', 'start', 'other'),
      qualifier: fc.constantFrom('begin', 'end', '-'),
    });
    fc.assert(
      fc.property(fc.array(anyRoute, { maxLength: 12 }), fc.array(anyEvent, { maxLength: 10 }), (routes, events) => {
        const router = createRouter({ routes, handlers });
        for (const event of events) {
          const matching = routes.filter((one: Route) => {
            const { name, kind, driver, event: operation, qualifier } = one.match;
            return (
              (name?.some((glob) => compileGlob(glob)(event.name)) ?? true) &&
              (kind?.includes(event.kind) ?? true) &&
              (driver?.includes(event.driver) ?? true) &&
              (operation?.includes(event.event) ?? true) &&
              (qualifier?.includes(event.qualifier) ?? true)
            );
          });
          expect(router(event)).toEqual([...new Set(matching.flatMap((one) => one.handlers))]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('costs about the same with a hundred thousand routes as with ten', () => {
    const many = Array.from({ length: 100_000 }, (_, index) => route({ name: [`vm-${String(index)}`] }, 'a'));
    const timeOf = (routes: readonly Route[]): number => {
      const router = createRouter({ routes, handlers });
      router(eventOf());
      const began = performance.now();
      for (let index = 0; index < 20_000; index++) router(eventOf({ name: `vm-${String(index)}` }));
      return performance.now() - began;
    };
    timeOf(many.slice(0, 10));
    // Trying one by one would take 10,000 times as long.
    expect(timeOf(many)).toBeLessThan(20 * timeOf(many.slice(0, 10)) + 50);
  });
});
