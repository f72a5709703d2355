import type { ComponentBinary } from './component-binary.js';
import type { StringEncoding } from './component-definitions.js';
import type { ExternType, Sort } from './component-names.js';
import type { Declaration, TypeDefinition, TypeRef } from './component-types.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { WitType } from './wit-type.js';

/** An item that a component defines, imports or exports. */
export type Entity = TypeEntity | FunctionEntity | InstanceEntity | ComponentEntity;

export interface TypeEntity {
  readonly sort: 'type';
  readonly type: WitType;
  /** For an instance type, its declarations; otherwise null. */
  readonly declares: { readonly declarations: readonly Declaration[]; readonly scope: Scope } | null;
}

export interface FunctionEntity {
  readonly sort: 'function';
  /** Every type that it is declared with: where it is lifted or imported, and at each component boundary on the way. */
  readonly types: readonly WitType[];
  /** The outermost component's import that it comes from; null for a function of the component's own. */
  readonly from: Import | null;
  /** The string encoding with which it is lifted. */
  readonly encoding: StringEncoding;
}

/** A function of an interface that the component imports. */
export interface Import {
  readonly interface: string;
  readonly name: string;
}

export interface InstanceEntity {
  readonly sort: 'instance';
  readonly exports: ReadonlyMap<string, Entity>;
}

export interface ComponentEntity {
  readonly sort: 'component';
  readonly component: ComponentBinary;
}

/** The items that can be referred to by index, in a component or inside an instance type. */
export class Scope {
  readonly #around: Scope | null;
  readonly #spaces = { type: [], function: [], instance: [], component: [] } as {
    readonly [S in Entity['sort']]: Extract<Entity, { sort: S }>[];
  };

  constructor(around: Scope | null) {
    this.#around = around;
  }

  add(entity: Entity): void {
    // TypeScript cannot infer that the list for a sort accepts items of that sort.
    (this.#spaces[entity.sort] as Entity[]).push(entity);
  }

  /** Returns the item with an index. Throws HookvisorError `plugin-invalid` if there is none. */
  get<S extends Entity['sort']>(sort: S, index: number | null): Extract<Entity, { sort: S }> {
    const found = index === null ? undefined : this.#spaces[sort][index];
    if (found === undefined) throw invalid(`it refers to a ${sort} that does not exist`);
    return found;
  }

  /** Returns an item like {@link get}, by a sort that this class may not keep. */
  find(sort: Sort | 'module', index: number): Entity {
    if (sort === 'type' || sort === 'function' || sort === 'instance' || sort === 'component') {
      return this.get(sort, index);
    }
    throw invalid(`it refers to a ${sort} where none is allowed`);
  }

  outer(outwards: number): Scope {
    if (outwards === 0) return this;
    if (this.#around === null) throw invalid('it refers to an enclosing component that does not exist');
    return this.#around.outer(outwards - 1);
  }

  /** Returns the type that is referred to, or a new resource if it is unbounded. */
  bound({ type }: ExternType): TypeEntity {
    return type === null ? { sort: 'type', type: resource(), declares: null } : this.get('type', type);
  }

  define({ form, labels, parts, declarations }: TypeDefinition): TypeEntity {
    const [only = null] = parts;
    if (form === 'primitive') return { sort: 'type', type: this.#part(only) ?? resource(), declares: null };
    const type: WitType = { form, labels, parts: parts.map((part) => this.#part(part)) };
    return { sort: 'type', type, declares: declarations === null ? null : { declarations, scope: this } };
  }

  #part(part: TypeRef | null): WitType | null {
    if (part === null) return null;
    return typeof part === 'string' ? { form: part, labels: [], parts: [] } : this.get('type', part).type;
  }
}

const resource = (): WitType => ({ form: 'resource', labels: [], parts: [] });
