import { oneLine } from '../../contract/text.js';
import type { AdoptedHook } from './manifest.js';
import { type HookName, places } from './places.js';

/** Seconds that an adopted hook may take; libvirt itself has no limit. */
export const adoptedDeadlineSeconds = 60;
const budgetSeconds = 300;

/** A hook that becomes a handler. */
export interface AdoptedHandler {
  readonly driver: HookName;
  readonly name: string;
  readonly hook: AdoptedHook;
}

/** Names the handler of each hook: `qemu`, `qemu.d-50-site`. */
export function nameHandlers(hooks: readonly { driver: HookName; hook: AdoptedHook }[]): AdoptedHandler[] {
  const taken = new Set<string>();
  return hooks.map(({ driver, hook }) => {
    const plain = hook.from
      .slice(places.hooks.length + 1)
      .replaceAll('/', '-')
      .replace(/[^A-Za-z0-9._-]/gu, '_')
      .slice(0, 56);
    let name = plain;
    for (let count = 2; taken.has(name); count++) name = `${plain}-${String(count)}`;
    taken.add(name);
    return { driver, name, hook };
  });
}

/** Writes the configuration that runs adopted hooks in the order of libvirt. */
export function adoptedConfig(handlers: readonly AdoptedHandler[]): Buffer {
  const drivers = [...new Set(handlers.map(({ driver }) => driver))];
  const routes = drivers.map((driver) => {
    const names = handlers.filter((one) => one.driver === driver).map(({ name }) => name);
    return `  - match: { driver: ${driver} }\n    handlers: [${names.join(', ')}]\n`;
  });
  return Buffer.from(`# The hooks that were in ${places.hooks}, as handlers, in the order of libvirt.
# After a change:  hookvisor check && hookvisor reload
# Differences from plain libvirt hooks: docs/migrating-from-hook-scripts.md
version: 1

# libvirt waits for a hook for ever. Here each has a deadline, and all of them one for the start of a guest.
budget: ${budgetSeconds}s

handlers:
${handlers.map(handlerText).join('')}
# The driver is the name of the hook in libvirt.
routes:
${routes.join('')}`);
}

/** Returns how long the client must wait: the longest chain of adopted hooks and a margin. */
export function clientDeadlineFor(handlers: readonly AdoptedHandler[]): number {
  const most = Math.max(0, ...handlers.map(({ driver }) => handlers.filter((one) => one.driver === driver).length));
  return most * adoptedDeadlineSeconds + 30;
}

function handlerText({ name, hook }: AdoptedHandler): string {
  return `  ${JSON.stringify(name)}: # was ${oneLine(hook.from, 200)}
    backend: script
    source: ${JSON.stringify(hook.to)}
    deadline: ${adoptedDeadlineSeconds}s
    failurePolicy: fail
`;
}
