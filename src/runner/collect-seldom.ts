import { setFlagsFromString } from 'node:v8';

/**
 * From Node 24 on V8 collects the heap of a runner at every eleventh event of a plugin in TypeScript, and the collector's
 * threads take the cores from the next ones; at every sixtieth when it counts memories with the heap, of which they are the
 * larger part. Before Node 24 it did so at every fortieth, and the flag did not exist.
 */
export function collectSeldom(): void {
  if (Number.parseInt(process.versions.node, 10) < 24) return;
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}
