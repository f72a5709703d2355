/** The maximum delay of a timer, milliseconds. */
const longestMs = 2 ** 31 - 1;

/**
 * Keeps the event loop alive while nothing else does. An event waits for V8's promises (`WebAssembly.instantiate`),
 * which do not keep the loop alive. With an empty loop, Node 20 waits for all tasks of V8's threads, including the
 * optimizing compiler: an event would wait for seconds or minutes until V8 has compiled a function of another plug-in.
 */
export function keepLoopAlive(): void {
  setInterval(() => undefined, longestMs);
}
