import { z } from 'zod';
import type { HookEvent } from '../event.js';
import type { SelectError } from '../libvirt/document.js';
import { bounds } from '../limits.js';
import type { Outcome } from '../outcome.js';
import type { ComponentExports, InstantiateComponent } from './component-instance.js';
import { cut } from './host.js';
import type { HostCalls } from './host.js';

/**
 * jco's glue tries this for each instance and goes on without it where it is missing. V8 words the exception by parsing
 * the glue again: 5 ms of the 6 that an instance of a QuickJS component took in Node 20.
 */
function providePromising(): void {
  if (!('promising' in WebAssembly)) Object.assign(WebAssembly, { promising: (call: unknown) => call });
}

const callable = <T>() => z.custom<T>((value) => typeof value === 'function');

const glueSchema = z.object({
  instantiate:
    callable<
      (
        getCoreModule: (name: string) => string,
        imports: object,
        instantiateCore: (module: string, imports?: WebAssembly.Imports) => WebAssembly.Instance,
      ) => unknown
    >(),
});
const exportsSchema = z.object({
  handler: z.object({ handle: callable<(event: unknown) => unknown>() }),
  configurable: z.object({ validate: callable<() => unknown>() }).optional(),
});

/** A component for which there is no plan: the ES module that jco generated makes its instances. */
export async function jcoComponent(glue: string): Promise<InstantiateComponent> {
  providePromising();
  // A `data:` address needs no file, so a runner without write access can evaluate it.
  const module: unknown = await import(`data:text/javascript;base64,${Buffer.from(glue).toString('base64')}`);
  const { instantiate } = glueSchema.parse(module);
  return (host, instantiateCore) => {
    const made = instantiate(
      (name) => name,
      importsOf(host),
      (name, imports = {}) => instantiateCore(name, imports),
    );
    const { handler, configurable } = exportsSchema.parse(made);
    return {
      handle: (event) => toOutcome(handler.handle(toWit(event))),
      validate: () => objectionOf(() => configurable?.validate()),
    } satisfies ComponentExports;
  };
}

/** jco hands `payload` to the guest as the error of a WIT `result`. */
class SelectFailure extends Error {
  readonly payload: SelectError;

  constructor(payload: SelectError) {
    super(payload.tag);
    this.payload = payload;
  }
}

/** The functions of the world by the names under which the glue asks for them. */
function importsOf({ document, select, json, write }: HostCalls): object {
  return {
    'hookvisor:hook/types': {},
    'hookvisor:hook/document': {
      text: () => document()?.toString('utf8'),
      select: (xpath: string) => {
        const selection = select(xpath);
        if ('error' in selection) throw new SelectFailure(selection.error);
        return selection.ok;
      },
    },
    'hookvisor:hook/settings': { json },
    'hookvisor:hook/log': { write },
  };
}

/** The WIT record `event`. */
function toWit({ time, extra, uuid, ...event }: HookEvent): object {
  return { ...event, time: BigInt(time), extra: extra ?? undefined, uuid: uuid ?? undefined };
}

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

const payloadSchema = z.object({ payload: z.string() });

/** jco throws a result's error as it is, or inside an Error with a payload. */
function objectionOf(validate: () => unknown): string | null {
  try {
    validate();
    return null;
  } catch (error) {
    const objection = typeof error === 'string' ? error : payloadSchema.safeParse(error).data?.payload;
    if (objection === undefined) throw error;
    return objection;
  }
}
