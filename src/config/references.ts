import { isMapping } from './mapping.js';
import { quote, suggest } from './quote.js';
import { handlerName } from './schema.js';
import type { Finding } from './yaml.js';

/** The handler that the key `events_script` of the RFC defines. */
export const eventsScriptHandler = 'events_script';

const scriptKeys = ['arguments', 'layout', 'libvirtAccess'] as const;
const pluginKeys = ['sha256', 'trust', 'settings', 'fuel', 'memory', 'pluginSize'] as const;

/**
 * Checks references between parts of a configuration. Works on the unvalidated data, so that these mistakes are
 * reported together with those of the schema; values of an unexpected type are skipped here.
 */
export function checkReferences(root: unknown): Finding[] {
  if (!isMapping(root)) return [];
  const handlers = isMapping(root['handlers']) ? root['handlers'] : {};
  const script = root['events_script'];
  const known = [...Object.keys(handlers), ...(script === undefined ? [] : [eventsScriptHandler])];
  return [
    ...Object.entries(handlers).flatMap(([name, handler]) => checkHandler(name, handler, known)),
    ...checkCycles(handlers),
    ...checkRoutes(root['routes'], known),
    ...checkEventsScript(root, handlers),
  ];
}

function checkHandler(name: string, handler: unknown, known: readonly string[]): Finding[] {
  const at = ['handlers', name];
  const found: Finding[] = [];
  if (!handlerName.test(name)) {
    const message = `${quote(name)} is not a valid handler name; write letters, digits, '.', '_' and '-', at most 64 of them`;
    found.push({ path: at, message });
  }
  if (!isMapping(handler)) return found;
  const fallback = fallbackOf(handler);
  if (fallback === name) {
    const message = `'${name}' cannot fall back to itself; name another handler`;
    found.push({ path: [...at, 'failurePolicy', 'fallback'], message });
  } else if (fallback !== null && !known.includes(fallback)) {
    found.push({ path: [...at, 'failurePolicy', 'fallback'], message: unknownHandler(fallback, known) });
  }
  const backend = handler['backend'];
  if (backend === 'script') {
    for (const key of pluginKeys.filter((key) => handler[key] !== undefined)) {
      found.push({ path: [...at, key], message: `applies to plug-ins only, and '${name}' is a script; remove it` });
    }
  } else if (backend === 'component' || backend === 'extism') {
    for (const key of scriptKeys.filter((key) => handler[key] !== undefined)) {
      found.push({ path: [...at, key], message: `applies to scripts only, and '${name}' is a plug-in; remove it` });
    }
  }
  return found;
}

/** Reports each cycle of fallbacks once, at its first handler. */
function checkCycles(handlers: Readonly<Record<string, unknown>>): Finding[] {
  const next = new Map(Object.entries(handlers).map(([name, handler]) => [name, fallbackOf(handler)]));
  const done = new Set<string>();
  const found: Finding[] = [];
  for (const start of next.keys()) {
    const way: string[] = [];
    let name: string | null = start;
    while (name !== null && !done.has(name)) {
      done.add(name);
      way.push(name);
      name = next.get(name) ?? null;
    }
    const ring = name === null ? [] : way.slice(way.indexOf(name)).filter(() => way.includes(name));
    const first = [...next.keys()].find((candidate) => ring.includes(candidate));
    // A handler that falls back to itself was already reported with a clearer message.
    if (first === undefined || ring.length < 2) continue;
    const order = [...ring.slice(ring.indexOf(first)), ...ring.slice(0, ring.indexOf(first)), first];
    const message = `the fallbacks form a cycle (${order.map(quote).join(' to ')}); use fail or ignore for the last one`;
    found.push({ path: ['handlers', first, 'failurePolicy', 'fallback'], message });
  }
  return found;
}

function checkRoutes(routes: unknown, known: readonly string[]): Finding[] {
  if (!Array.isArray(routes)) return [];
  return routes.flatMap((route: unknown, at): Finding[] => {
    const names: unknown = isMapping(route) ? route['handlers'] : null;
    if (!Array.isArray(names)) return [];
    return names.flatMap((name: unknown, index): Finding[] => {
      if (typeof name !== 'string') return [];
      const path = ['routes', at, 'handlers', index];
      if (!known.includes(name)) return [{ path, message: unknownHandler(name, known) }];
      if (names.indexOf(name) < index) {
        return [{ path, message: `${quote(name)} appears twice in this route; remove one of them` }];
      }
      return [];
    });
  });
}

function checkEventsScript(root: Readonly<Record<string, unknown>>, handlers: object): Finding[] {
  const script = root['events_script'];
  if (script === undefined) {
    if (root['events_set'] === undefined) return [];
    return [
      { path: ['events_set'], message: 'has no effect without events_script; add events_script or remove this key' },
    ];
  }
  const found: Finding[] = [];
  if (typeof script === 'string' && script !== '' && !script.startsWith('/')) {
    found.push({ path: ['events_script'], message: `${quote(script)} is a relative path; write an absolute one` });
  }
  if (Object.hasOwn(handlers, eventsScriptHandler)) {
    const message = `this name is reserved for the key events_script; rename the handler or remove that key`;
    found.push({ path: ['handlers', eventsScriptHandler], message });
  }
  return found;
}

function fallbackOf(handler: unknown): string | null {
  const policy = isMapping(handler) ? handler['failurePolicy'] : null;
  const fallback = isMapping(policy) ? policy['fallback'] : null;
  return typeof fallback === 'string' && fallback !== '' ? fallback : null;
}

function unknownHandler(name: string, known: readonly string[]): string {
  if (known.length === 0) return `no handler ${quote(name)} exists; define it under handlers`;
  return `no handler ${quote(name)} exists; ${suggest(name, known)}`;
}
