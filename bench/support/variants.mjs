// @ts-check
import { plannedComponent } from '../../dist/runner/component-instance.js';
import { meterNames } from '../../dist/contract/meter.js';
import { hardenModule } from '../../dist/admission/fuel/harden.js';
import { moduleName, planOf } from '../../dist/admission/translation/plan.js';
import { translateComponent } from '../../dist/admission/translation/translator.js';

const memoryBytes = 64 * 1024 * 1024;

/**
 * The same work without and with built-in limits. Both return their results.
 * @typedef {{ plain: () => unknown, hardened: () => unknown }} Variants
 */

/**
 * Imports that the benchmark's guest never calls, but a QuickJS component requires.
 * @type {import('../../dist/runner/host.js').HostCalls}
 */
const hostCalls = {
  document: () => null,
  select: () => ({ ok: [] }),
  json: () => '{}',
  write: () => undefined,
  charge: () => undefined,
};

/** More fuel than any benchmark uses. */
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
 * @param {import('../../dist/contract/event.js').HookEvent} event
 * @returns {Promise<Variants>}
 */
export async function componentVariants(bytes, event) {
  const translated = await translateComponent(bytes);
  const instantiate = plannedComponent(planOf(translated));
  /** @param {(bytes: Buffer) => Buffer} change */
  const variant = (change) => {
    const compiled = new Map(
      translated.modules.map((core, place) => [moduleName(place), new WebAssembly.Module(change(core))]),
    );
    const metered = meterImports();
    const { handle } = instantiate(hostCalls, (name, imports) => {
      const module = compiled.get(name);
      if (module === undefined) throw new Error(`there is no module '${name}'`);
      return new WebAssembly.Instance(module, { ...imports, ...metered });
    });
    return () => handle(event);
  };
  return { plain: variant((core) => core), hardened: variant((core) => hardenModule(core, { memoryBytes })) };
}
