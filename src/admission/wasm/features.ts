import { objectionError, refusal } from '../../contract/objection.js';
import type { Objection } from '../../contract/objection.js';

/** Extensions of WebAssembly 1.0, by the names of their proposals. */
export type WasmFeature =
  | 'sign-extension'
  | 'saturating-float-to-int'
  | 'bulk-memory'
  | 'reference-types'
  | 'simd'
  | 'tail-call'
  | 'multi-memory'
  | 'threads'
  | 'relaxed-simd'
  | 'garbage-collection'
  | 'function-references'
  | 'exception-handling'
  | 'stack-switching'
  | 'wide-arithmetic'
  | 'unknown';

/** Extensions that no plug-in may use, each with the remedy. */
const remedies: ReadonlyMap<WasmFeature, string> = new Map([
  ['threads', 'build it without threads: their results depend on timing'],
  ['relaxed-simd', 'build it without this feature: its results depend on the processor'],
  ['garbage-collection', 'build it without this feature: no limit covers the memory of its objects'],
  ['function-references', 'build it without this feature: not every supported version of Node has it'],
  ['exception-handling', 'build it without this feature: a handler could catch a stack overflow'],
  ['stack-switching', 'build it without this feature: not every supported version of Node has it'],
  ['multi-memory', 'build it with one memory'],
  ['wide-arithmetic', 'build it without this feature: not every supported version of Node has it'],
  ['unknown', 'build it for WebAssembly 2.0'],
]);

/** Returns one objection for each forbidden extension in `used`. */
export function featureObjections(used: ReadonlySet<WasmFeature>): Objection[] {
  return [...remedies].flatMap(([feature, remedy]) =>
    used.has(feature) ? [refusal('feature', `it uses ${nameOf(feature)}`, remedy, { feature })] : [],
  );
}

/** Returns whether no plug-in may use an extension. The readers do not know the encoding of forbidden extensions. */
export function isForbidden(feature: WasmFeature): boolean {
  return remedies.has(feature);
}

/** Returns the error for an extension whose encoding is unknown. */
export function featureError(feature: WasmFeature): Error {
  const [first] = featureObjections(new Set([feature]));
  if (first === undefined) throw new TypeError(`the feature '${feature}' is allowed`);
  return objectionError(first);
}

/** Returns the error for a type that no plug-in may use. */
export function typeError(what: string, feature: WasmFeature, allowed: string): Error {
  const origin = feature === 'unknown' ? '' : ` of ${nameOf(feature)}`;
  return objectionError(refusal('feature', `it uses ${what}${origin}`, allowed, { feature }));
}

function nameOf(feature: WasmFeature): string {
  return feature === 'unknown' ? 'an unknown instruction' : `WebAssembly's ${feature.replace('-', ' ')}`;
}
