import type { Entity } from '../wasm/component-scope.js';
import type { WitType } from '../wasm/wit-type.js';

/** An interface of a WIT package: its types and functions by name. */
export interface WitInterface {
  readonly types: ReadonlyMap<string, WitType>;
  readonly functions: ReadonlyMap<string, WitType>;
}

/** The interfaces that a component may import and export, by name. */
export interface WitWorld {
  readonly imports: ReadonlyMap<string, WitInterface>;
  readonly exports: ReadonlyMap<string, WitInterface>;
  /** The exports that it must have. */
  readonly required: ReadonlySet<string>;
}

/** The instances among what a component imports or exports, each as the interface that it has. */
export function interfacesOf(border: ReadonlyMap<string, Entity>): Map<string, WitInterface> {
  const interfaces = new Map<string, WitInterface>();
  for (const [name, entity] of border) {
    if (entity.sort !== 'instance') continue;
    const [types, functions] = [new Map<string, WitType>(), new Map<string, WitType>()];
    for (const [item, { sort, ...rest }] of entity.exports) {
      if (sort === 'type' && 'type' in rest) types.set(item, rest.type);
      if (sort === 'function' && 'types' in rest && rest.types[0] !== undefined) functions.set(item, rest.types[0]);
    }
    interfaces.set(name, { types, functions });
  }
  return interfaces;
}
