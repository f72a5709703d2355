import { z } from 'zod';
import type { HookEvent } from '../event.js';
import { loadXml } from '../libvirt/document.js';
import type { XmlTools } from '../libvirt/document.js';
import { bounds } from '../limits.js';
import type { Outcome } from '../outcome.js';
import { compileModules, notLoadable } from './compile.js';
import type { Guest, GuestBackend, GuestLoad } from './guest.js';
import { checkDocument, createComponentHost, cut, documentImport } from './host.js';
import type { ComponentHost, ComponentImports } from './host.js';
import { createMeter, failureOf, meterNames } from './meter.js';
import type { Meter } from './meter.js';

/**
 * jco's glue tries this for each instance and goes on without it where it is missing. V8 words the exception by parsing
 * the glue again: 5 ms of the 6 that an instance of a QuickJS component took in Node 20.
 */
if (!('promising' in WebAssembly)) Object.assign(WebAssembly, { promising: (call: unknown) => call });

type Instantiate = (
  getCoreModule: (name: string) => WebAssembly.Module,
  imports: ComponentImports,
  instantiateCore: (module: WebAssembly.Module, imports?: WebAssembly.Imports) => WebAssembly.Instance,
) => unknown;

const glueSchema = z.object({
  instantiate: z.custom<Instantiate>((value) => typeof value === 'function'),
});
const exportsSchema = z.object({
  handler: z.object({ handle: z.custom<(event: unknown) => unknown>((value) => typeof value === 'function') }),
  configurable: z.object({ validate: z.custom<() => unknown>((value) => typeof value === 'function') }).optional(),
});

interface Loaded {
  readonly load: GuestLoad;
  readonly xml: XmlTools | null;
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
  readonly instantiate: Instantiate;
}

/** One instance and everything that belongs to it. */
interface Instance {
  readonly host: ComponentHost;
  readonly meter: Meter;
  readonly exports: z.infer<typeof exportsSchema>;
}

/** Loads a component that jco has turned into glue and hardened core modules. */
export const loadComponent: GuestBackend = async (load) => {
  const { glue } = load.artefact;
  const modules = compileModules(load.artefact);
  // libxml2 is a third of a runner's start: whoever cannot ask for the document does not pay for it.
  const [evaluated, xml] = await Promise.all([evaluateGlue(glue), glue.includes(documentImport) ? loadXml() : null]);
  const loaded: Loaded = { load, modules, instantiate: evaluated, xml };
  const spares: Instance[] = [];
  return {
    prepare: () => Promise.resolve(prepare(loaded, spares)),
    get spares() {
      return spares.length;
    },
    shrink: (keep) => void spares.splice(keep),
    evaluate: ({ event, document }) =>
      promised(() => {
        checkDocument(document);
        const instance = spares.shift() ?? instantiate(loaded);
        return run(loaded, instance, () => {
          instance.host.show(document);
          return toOutcome(instance.exports.handler.handle(toWit(event)));
        });
      }),
    validate: () => promised(() => validate(loaded)),
  } satisfies Guest;
};

/** Runs now; what it throws becomes a rejection. */
function promised<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}

/** A `data:` address needs no file, so a runner without write access can evaluate it. */
async function evaluateGlue(glue: string): Promise<Instantiate> {
  try {
    const module: unknown = await import(`data:text/javascript;base64,${Buffer.from(glue).toString('base64')}`);
    return glueSchema.parse(module).instantiate;
  } catch (error) {
    throw notLoadable(error);
  }
}

function prepare(loaded: Loaded, spares: Instance[]): boolean {
  try {
    spares.push(instantiate(loaded));
    return true;
  } catch {
    // The next event instantiates again, meets the same failure and reports it.
    return false;
  }
}

/** Throws HandlerFailure. No document is in place yet, so a spare instance is no different from one made for its event. */
function instantiate({ load, xml, modules, instantiate: glue }: Loaded): Instance {
  const meter = createMeter(load.limits);
  const host = createComponentHost(xml, load.settings, meter);
  const getCoreModule = (name: string): WebAssembly.Module => {
    const module = modules.get(name);
    if (module === undefined) throw new Error(`the artefact has no core module '${name}'`);
    return module;
  };
  const metered = { [meterNames.module]: { ...meter.globals } };
  try {
    const exports: unknown = glue(
      getCoreModule,
      host.imports,
      (module, imports) => new WebAssembly.Instance(module, { ...imports, ...metered }),
    );
    return { host, meter, exports: exportsSchema.parse(exports) };
  } catch (error) {
    throw failureOf(error, { meter, limits: load.limits, logs: host.logs.lines() });
  }
}

function run<T extends Outcome>(loaded: Loaded, { host, meter }: Instance, call: () => T) {
  const { limits } = loaded.load;
  try {
    const outcome = call();
    // A trap may have been swallowed on the way out, but an overdrawn meter stays overdrawn.
    if (meter.exhausted) throw new Error('out of fuel');
    return { outcome, fuel: meter.spent(), logs: host.logs.lines() };
  } catch (error) {
    throw failureOf(error, { meter, limits, logs: host.logs.lines() });
  } finally {
    host.close();
  }
}

/** The WIT record `event`. */
function toWit({ time, extra, uuid, ...event }: HookEvent): object {
  return { ...event, time: BigInt(time), extra: extra ?? undefined, uuid: uuid ?? undefined };
}

/** Checked by hand: a schema costs more here than the plugin's call. */
function toOutcome(value: unknown): Outcome {
  if (typeof value === 'object' && value !== null && 'tag' in value) {
    const val = 'val' in value ? value.val : null;
    if (value.tag === 'allow') return { outcome: 'allow' };
    if (value.tag === 'deny' && typeof val === 'string') {
      return { outcome: 'deny', reason: cut(val, bounds.reasonChars) };
    }
    if (value.tag === 'replace' && typeof val === 'string') {
      return { outcome: 'replace', document: Buffer.from(val) };
    }
  }
  throw new Error('what it answered is not an outcome');
}

const objectionSchema = z.object({ payload: z.string() });

function validate(loaded: Loaded): string | null {
  if (!loaded.load.artefact.validates) return null;
  const instance = instantiate(loaded);
  const { host, meter, exports } = instance;
  try {
    exports.configurable?.validate();
    return null;
  } catch (error) {
    // jco throws a result's error as it is, or inside an Error with a payload.
    const objection = typeof error === 'string' ? error : objectionSchema.safeParse(error).data?.payload;
    if (objection !== undefined) return cut(objection, bounds.reasonChars);
    throw failureOf(error, { meter, limits: loaded.load.limits, logs: host.logs.lines() });
  } finally {
    host.close();
  }
}
