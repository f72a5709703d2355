/** V8's messages for the traps of a core module, and the corresponding ones of Wasmtime, which jco uses. */
const trapNames: ReadonlyMap<string, string> = new Map([
  ['unreachable', 'wasm trap: wasm `unreachable` instruction executed'],
  ['memory access out of bounds', 'wasm trap: out of bounds memory access'],
  ['divide by zero', 'wasm trap: integer divide by zero'],
  ['remainder by zero', 'wasm trap: integer divide by zero'],
  ['divide result unrepresentable', 'wasm trap: integer overflow'],
  ['float unrepresentable in integer range', 'wasm trap: invalid conversion to integer'],
  ['table index is out of bounds', 'wasm trap: undefined element: out of bounds table access'],
  ['function signature mismatch', 'wasm trap: indirect call type mismatch'],
  ['call stack exhausted', 'wasm trap: call stack exhausted'],
]);

/** Returns the error that ends a plug-in which broke a rule of the component model, as if its own code had trapped. */
export function trap(message: string): WebAssembly.RuntimeError {
  return new WebAssembly.RuntimeError(message);
}

/** Calls a plug-in. Rethrows a trap with a message that does not depend on the engine. */
export function withNamedTraps<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) error.message = trapNames.get(error.message) ?? error.message;
    throw error;
  }
}
