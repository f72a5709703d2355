import { objectionError, refusal } from '../../contract/objection.js';
import type { Objection } from '../../contract/objection.js';

/** Extensions of WebAssembly's first version, by the names of their proposals. */
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

/** Extensions that no plugin may use, each with what to do about it. */
const remedies: ReadonlyMap<WasmFeature, string> = new Map([
  ['threads', 'build it without threads: what they do depends on timing'],
  ['relaxed-simd', 'build it without: its results depend on the processor'],
  ['garbage-collection', 'build it without: no limit covers the memory of its objects'],
  ['function-references', 'build it without: the versions of Node do not all have them'],
  ['exception-handling', 'build it without: a handler could catch the end of its stack'],
  ['stack-switching', 'build it without: the versions of Node do not all have it'],
  ['multi-memory', 'build it with one memory'],
  ['wide-arithmetic', 'build it without: the versions of Node do not all have it'],
  ['unknown', 'build it for WebAssembly 2.0'],
]);

/** One objection for each extension that no plugin may use. */
export function featureObjections(used: ReadonlySet<WasmFeature>): Objection[] {
  return [...remedies].flatMap(([feature, remedy]) =>
    used.has(feature) ? [refusal('feature', `it uses ${nameOf(feature)}`, remedy, { feature })] : [],
  );
}

/** Whether no plugin may use an extension. Its encoding is not known to the readers. */
export function isForbidden(feature: WasmFeature): boolean {
  return remedies.has(feature);
}

/** The error for an extension whose encoding cannot be read past. */
export function featureError(feature: WasmFeature): Error {
  const [first] = featureObjections(new Set([feature]));
  if (first === undefined) throw new TypeError(`the feature '${feature}' is allowed`);
  return objectionError(first);
}

/** The error for a type that no plugin may use. */
export function typeError(what: string, feature: WasmFeature, allowed: string): Error {
  const origin = feature === 'unknown' ? '' : ` of ${nameOf(feature)}`;
  return objectionError(refusal('feature', `it uses ${what}${origin}`, allowed, { feature }));
}

function nameOf(feature: WasmFeature): string {
  return feature === 'unknown' ? 'an unknown instruction' : `WebAssembly's ${feature.replace('-', ' ')}`;
}
