import v8 from 'node:v8';
import type { Artefact } from './artefact.js';
import { HookvisorError, messageOf } from './errors.js';

/**
 * Enables extended constant expressions, which QuickJS needs, in Node 20, where V8 has them switched off. Later
 * versions always have them; the newest no longer have the flag.
 */
export function enableExtendedConst(): void {
  if (process.versions.node.startsWith('20.')) v8.setFlagsFromString('--experimental-wasm-extended-const');
}

/** Compiles an artefact's core modules. Throws HookvisorError `plugin-invalid`. */
export function compileModules(artefact: Artefact): ReadonlyMap<string, WebAssembly.Module> {
  enableExtendedConst();
  try {
    return new Map(artefact.modules.map(({ name, bytes }) => [name, new WebAssembly.Module(bytes)]));
  } catch (error) {
    throw notLoadable(error);
  }
}

export function notLoadable(error: unknown): HookvisorError {
  return new HookvisorError(
    'plugin-invalid',
    `Cannot load the plug-in: ${messageOf(error)}; clear the cache of admitted plug-ins and try again`,
    { cause: error },
  );
}
