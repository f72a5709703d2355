import { setFlagsFromString } from 'node:v8';

/** How soon V8's last compiler takes over. Node 22 came with another name for it, and an unknown one is complained of. */
const soon =
  Number.parseInt(process.versions.node, 10) < 22 ? '--interrupt-budget=5000' : '--invocation-count-for-turbofan=200';

/**
 * V8 optimizes what runs often, and by its own bounds an event's code has run often enough after some two thousand
 * events, which is a week on a quiet host; until then each of them takes half as long again. Holds for functions that
 * are compiled from now on.
 */
export function optimizeSoon(): void {
  setFlagsFromString('--always-sparkplug');
  setFlagsFromString(soon);
}
