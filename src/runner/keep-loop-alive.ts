/** The longest that a timer takes. */
const longestMs = 2 ** 31 - 1;

/**
 * Keeps the event loop alive while nothing else does. An event waits for promises of V8 (`WebAssembly.instantiate`), which
 * the loop does not count. With an empty loop, Node 20 waits for every task of V8's threads, the optimizing compiler's
 * among them: an event would wait until V8 has compiled a function of another plugin, for seconds or minutes.
 */
export function keepLoopAlive(): void {
  setInterval(() => undefined, longestMs);
}
