import type { WitType } from './wasm/wit-type.js';

/** An interface of a WIT package: its types and functions by name. */
export interface WitInterface {
  readonly types: ReadonlyMap<string, WitType>;
  readonly functions: ReadonlyMap<string, WitType>;
}

/** The interfaces that a component may import and export, by name. */
export interface WitWorld {
  readonly imports: ReadonlyMap<string, WitInterface>;
  readonly exports: ReadonlyMap<string, WitInterface>;
  /** Exports that the component must have. */
  readonly required: ReadonlySet<string>;
}
