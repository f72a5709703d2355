/** Assembles WAT: a core module, or a component where the text is `(component …)`. */
export function watToModule(wat: string): Promise<Uint8Array>;

/** Makes a component of this project's WIT from a core module in WAT. */
export function watToComponent(wat: string, world: 'hook-handler' | 'configurable-hook-handler'): Promise<Uint8Array>;
