import { setFlagsFromString } from 'node:v8';

/**
 * From Node 24 on, V8 collects a runner's heap at every eleventh event of a plug-in in TypeScript, and the collector's
 * threads delay the next events. With this flag, V8 counts memories as part of the heap, of which they are the larger
 * part, and collects at every sixtieth event. Before Node 24, which lacks the flag, it collected at every fortieth.
 */
export function collectSeldom(): void {
  if (Number.parseInt(process.versions.node, 10) < 24) return;
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}
