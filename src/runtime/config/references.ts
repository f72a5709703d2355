import { bounds } from '../../contract/limits.js';
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
  const known = new Set([...Object.keys(handlers), ...(script === undefined ? [] : [eventsScriptHandler])]);
  return [
    ...Object.entries(handlers).flatMap(([name, handler]) => checkHandler(name, handler, known)),
    ...checkFallbacks(handlers),
    ...checkRoutes(root['routes'], known),
    ...checkEventsScript(root, handlers),
  ];
}

function checkHandler(name: string, handler: unknown, known: ReadonlySet<string>): Finding[] {
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
  } else if (fallback !== null && !known.has(fallback)) {
    found.push({ path: [...at, 'failurePolicy', 'fallback'], message: () => unknownHandler(fallback, known) });
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

/** Reports chains of fallbacks that are too long, and cycles: each once, at its first handler. */
function checkFallbacks(handlers: Readonly<Record<string, unknown>>): Finding[] {
  const names = Object.keys(handlers);
  const next = new Map(names.map((name) => [name, fallbackOf(handlers[name])]));
  const inRing = new Set<string>();
  const found: Finding[] = [];
  for (const start of names) {
    const way = new Set<string>();
    let name: string | null = start;
    while (name !== null && !way.has(name) && way.size <= bounds.fallbackChain) {
      way.add(name);
      name = next.get(name) ?? null;
    }
    if (name === null || inRing.has(name)) continue;
    const at = ['handlers', start, 'failurePolicy', 'fallback'];
    const shown = [...way, name].map(quote).join(' to ');
    if (!way.has(name)) {
      const message = `the chain of fallbacks has more than ${bounds.fallbackChain} handlers (${shown} …); use fail or ignore for one of them`;
      found.push({ path: at, message });
    } else if (name === start && way.size > 1) {
      // A handler that falls back to itself was already reported with a clearer message.
      for (const one of way) inRing.add(one);
      found.push({ path: at, message: `the fallbacks form a cycle (${shown}); use fail or ignore for the last one` });
    }
  }
  return found;
}

function checkRoutes(routes: unknown, known: ReadonlySet<string>): Finding[] {
  if (!Array.isArray(routes)) return [];
  return routes.flatMap((route: unknown, at): Finding[] => {
    const names: unknown = isMapping(route) ? route['handlers'] : null;
    if (!Array.isArray(names)) return [];
    const seen = new Set<string>();
    return names.flatMap((name: unknown, index): Finding[] => {
      if (typeof name !== 'string') return [];
      const path = ['routes', at, 'handlers', index];
      if (!known.has(name)) return [{ path, message: () => unknownHandler(name, known) }];
      if (seen.has(name)) return [{ path, message: `${quote(name)} appears twice in this route; remove one of them` }];
      seen.add(name);
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

function unknownHandler(name: string, known: ReadonlySet<string>): string {
  if (known.size === 0) return `no handler ${quote(name)} exists; define it under handlers`;
  return `no handler ${quote(name)} exists; ${suggest(name, [...known])}`;
}
