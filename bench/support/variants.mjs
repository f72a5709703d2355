// @ts-check
import { z } from 'zod';
import { meterNames } from '../../dist/backends/meter.js';
import { hardenModule } from '../../dist/sandbox/fuel/harden.js';
import { transpileComponent } from '../../dist/sandbox/glue/transpile.js';

const memoryBytes = 64 * 1024 * 1024;

/**
 * The same work twice: as it is, and with limits built in. Both give what they computed.
 * @typedef {{ plain: () => unknown, hardened: () => unknown }} Variants
 */

/**
 * @typedef {(get: (name: string) => WebAssembly.Module | undefined, imports: object,
 *   make: (module: WebAssembly.Module, imports: WebAssembly.Imports) => WebAssembly.Instance) => unknown} Instantiate
 */
/** @type {z.ZodType<Instantiate>} */
const instantiateSchema = z.custom((value) => isFunction(value));
const glueSchema = z.object({ instantiate: instantiateSchema });
/** @type {z.ZodType<(event: object) => unknown>} */
const handleSchema = z.custom((value) => isFunction(value));
const exportsSchema = z.object({ handler: z.object({ handle: handleSchema }) });

/** @param {unknown} value */
const isFunction = (value) => typeof value === 'function';

/** Nothing that a bench's guest calls, but what a component of QuickJS may ask for. */
const hostImports = {
  'hookvisor:hook/types': {},
  'hookvisor:hook/document': { text: () => undefined, select: () => [] },
  'hookvisor:hook/settings': { json: () => '{}' },
  'hookvisor:hook/log': { write: () => undefined },
};

/** More fuel than any bench uses. */
const plenty = 2n ** 60n;

/** @returns {Record<string, Record<string, WebAssembly.Global>>} */
function meterImports() {
  return {
    [meterNames.module]: {
      [meterNames.fuel]: new WebAssembly.Global({ value: 'i64', mutable: true }, plenty),
      [meterNames.growFailed]: new WebAssembly.Global({ value: 'i32', mutable: true }, 0),
      [meterNames.grown]: new WebAssembly.Global({ value: 'i32', mutable: true }, 0),
    },
  };
}

/**
 * @param {Buffer} bytes A core module without imports.
 * @param {string} name
 * @param {number} argument
 * @returns {Variants}
 */
export function moduleVariants(bytes, name, argument) {
  const [plain, hardened] = [bytes, hardenModule(bytes, { memoryBytes })].map((variant) => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(variant), meterImports());
    const work = exports[name];
    if (typeof work !== 'function') throw new Error(`the module exports no function '${name}'`);
    return () => work(argument);
  });
  if (plain === undefined || hardened === undefined) throw new Error('there are two variants');
  return { plain, hardened };
}

/**
 * @param {Buffer} bytes A component of the world hook-handler that imports nothing.
 * @param {object} event
 * @returns {Promise<Variants>}
 */
export async function componentVariants(bytes, event) {
  const { glue, modules } = await transpileComponent(bytes);
  /** @type {unknown} */
  const loaded = await import(`data:text/javascript;base64,${Buffer.from(glue).toString('base64')}`);
  const { instantiate } = glueSchema.parse(loaded);
  /** @param {(bytes: Buffer) => Buffer} change */
  const variant = (change) => {
    const compiled = new Map(modules.map(({ name, bytes: core }) => [name, new WebAssembly.Module(change(core))]));
    const metered = meterImports();
    const made = instantiate(
      (name) => compiled.get(name),
      hostImports,
      (module, imports) => new WebAssembly.Instance(module, { ...imports, ...metered }),
    );
    const { handler } = exportsSchema.parse(made);
    return () => handler.handle(event);
  };
  return { plain: variant((core) => core), hardened: variant((core) => hardenModule(core, { memoryBytes })) };
}
