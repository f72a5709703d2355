import { loadXml } from '../shared/xml/document.js';
import type { XmlTools } from '../shared/xml/document.js';
import { bounds } from '../contract/limits.js';
import type { Outcome } from '../contract/outcome.js';
import { compileModules, notLoadable } from '../contract/compile.js';
import { plannedComponent } from './component-instance.js';
import type { ComponentExports, InstantiateComponent } from './component-instance.js';
import type { Guest, GuestBackend, GuestLoad } from './guest.js';
import { checkDocument, createComponentHost, cut } from './host.js';
import type { ComponentHost } from './host.js';
import { createMemoryPool } from './memory-pool.js';
import type { Loan, MemoryPool } from './memory-pool.js';
import { createMeter, failureOf, hardeningImports, meterNames } from '../contract/meter.js';
import type { Meter } from '../contract/meter.js';

interface Loaded {
  readonly load: GuestLoad;
  readonly xml: XmlTools | null;
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
  readonly instantiate: InstantiateComponent;
  readonly pool: MemoryPool;
}

/** One instance and everything that belongs to it. */
interface Instance {
  readonly host: ComponentHost;
  readonly meter: Meter;
  readonly loan: Loan;
  readonly exports: ComponentExports;
}

/** Loads a component that admission has converted into a plan and hardened core modules. */
export const loadComponent: GuestBackend = (load) => {
  const { assembly } = load.artefact;
  if (assembly.kind !== 'plan') throw notLoadable(new Error('it has no plan'));
  return loadInstances(load, plannedComponent(assembly.plan), assembly.needsXml);
};

/** Returns a component guest whose instances are created by a function. */
export async function loadInstances(
  load: GuestLoad,
  instantiateOne: InstantiateComponent,
  needsXml: boolean,
): Promise<Guest> {
  const modules = compileModules(load.artefact);
  const pool = createMemoryPool(load.artefact.modules);
  // Loading libxml2 takes a third of a runner's start-up time, so only components that can read the document load it.
  const xml = needsXml ? await loadXml() : null;
  const loaded: Loaded = { load, modules, instantiate: instantiateOne, xml, pool };
  const warm: Instance[] = [];
  return {
    prepare: () => Promise.resolve(prepare(loaded, warm)),
    get warm() {
      return warm.length;
    },
    shrink(keep) {
      warm.splice(keep);
      pool.clear();
    },
    evaluate: ({ event, document }) =>
      promised(() => {
        checkDocument(document);
        const instance = warm.shift() ?? instantiate(loaded);
        return run(loaded, instance, () => {
          instance.host.show(document);
          return instance.exports.handle(event);
        });
      }),
    validate: () => promised(() => validate(loaded)),
  } satisfies Guest;
}

/** Runs a function immediately and converts an exception into a rejection. */
function promised<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}

function prepare(loaded: Loaded, warm: Instance[]): boolean {
  try {
    warm.push(instantiate(loaded));
    return true;
  } catch {
    // The next event instantiates again, fails in the same way and reports it.
    return false;
  }
}

/**
 * Creates an instance. The document is not set yet, so a spare instance is identical to one created for its event.
 * Throws HandlerFailure.
 */
function instantiate({ load, xml, modules, instantiate: make, pool }: Loaded): Instance {
  const meter = createMeter(load.limits);
  const loan = pool.lend();
  const host = createComponentHost(xml, load.settings, meter);
  try {
    const exports = make(host.calls, (name, imports) => {
      const module = modules.get(name);
      if (module === undefined) throw new Error(`the artefact has no core module '${name}'`);
      imports[meterNames.module] = hardeningImports(meter, loan.take(name));
      return new WebAssembly.Instance(module, imports);
    });
    return { host, meter, loan, exports };
  } catch (error) {
    throw failureOf(error, { meter, limits: load.limits, logs: host.logs.lines() });
  }
}

function run<T extends Outcome>(loaded: Loaded, { host, meter, loan }: Instance, call: () => T) {
  const { limits } = loaded.load;
  try {
    const outcome = call();
    // The plug-in may have caught the trap, but an exhausted meter stays exhausted.
    if (meter.exhausted) throw new Error('out of fuel');
    if (meter.ended !== null) throw meter.ended;
    loan.giveBack();
    return { outcome, fuel: meter.spent(), logs: host.logs.lines() };
  } catch (error) {
    throw failureOf(error, { meter, limits, logs: host.logs.lines() });
  } finally {
    host.close();
  }
}

function validate(loaded: Loaded): string | null {
  if (!loaded.load.artefact.validates) return null;
  const instance = instantiate(loaded);
  const { host, meter, exports } = instance;
  try {
    const objection = exports.validate();
    if (meter.ended !== null) throw meter.ended;
    return objection === null ? null : cut(objection, bounds.reasonChars);
  } catch (error) {
    throw failureOf(error, { meter, limits: loaded.load.limits, logs: host.logs.lines() });
  } finally {
    host.close();
  }
}
