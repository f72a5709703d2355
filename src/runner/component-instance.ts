import { bare } from './bare.js';
import type { HookEvent } from '../contract/event.js';
import type { Outcome } from '../contract/outcome.js';
import { loadObjection, loadOutcome, storeEvent } from './canonical-abi.js';
import { makeImport } from './component-imports.js';
import type { ComponentPlan, Lifted } from '../contract/component-plan.js';
import { coreFunction, flagsOf, guestMemory } from './component-live.js';
import type { Live } from './component-live.js';
import type { GuestMemory } from './guest-memory.js';
import type { HostCalls } from './host.js';
import { createResourceTables } from './resource-tables.js';
import { withNamedTraps } from './trap.js';

/** The exports of the world. An instance may be called only once, whichever export is used. */
export interface ComponentExports {
  readonly handle: (event: HookEvent) => Outcome;
  /** Returns the plug-in's objection to its settings; null if it has none. */
  readonly validate: () => string | null;
}

export type InstantiateCore = (module: string, imports: WebAssembly.Imports) => WebAssembly.Instance;
export type InstantiateComponent = (host: HostCalls, instantiateCore: InstantiateCore) => ComponentExports;

/** Returns a function that creates instances from a plan. Throws what the start functions of the core modules throw. */
export function plannedComponent(plan: ComponentPlan): InstantiateComponent {
  const values = plan.steps.flatMap(({ imports }) => imports.flatMap(([, fields]) => fields.map(([, value]) => value)));
  const flagged = new Set(values.flatMap((value) => (value.is === 'flags' ? [value.instance] : [])));
  return (host, instantiateCore) => {
    const live: Live = { host, exports: [], flagged, flags: [], context: [0, 0], resources: createResourceTables() };
    for (const { module, imports } of plan.steps) {
      const given: WebAssembly.Imports = bare();
      for (const [name, fields] of imports) {
        const object: WebAssembly.ModuleImports = bare();
        for (const [field, value] of fields) object[field] = makeImport(live, value);
        given[name] = object;
      }
      live.exports.push(instantiateCore(module, given).exports);
    }
    return {
      handle: (event) => call(live, plan.handle, { store: (guest) => storeEvent(guest, event), load: loadOutcome }),
      validate: () => (plan.validate === null ? null : call(live, plan.validate, { store: null, load: loadObjection })),
    };
  };
}

interface Conversion<T> {
  readonly store: ((guest: GuestMemory) => number) | null;
  readonly load: (guest: GuestMemory, at: number) => T;
}

/**
 * Calls into the component from outside, once: the instance is never left. While the plug-in allocates memory or cleans
 * up, it may not call out.
 */
function call<T>(live: Live, lifted: Lifted, { store, load }: Conversion<T>): T {
  live.resources.enter(lifted.instance);
  const flags = flagsOf(live, lifted.instance);
  const guest = guestMemory(live, lifted);
  return withNamedTraps(() => {
    flags.value = 0;
    const argument = store === null ? [] : [store(guest)];
    flags.value = 1;
    const at = coreFunction(live, lifted.core)(...argument);
    const result = load(guest, at);
    flags.value = 0;
    if (lifted.postReturn !== null) coreFunction(live, lifted.postReturn)(at);
    return result;
  });
}
