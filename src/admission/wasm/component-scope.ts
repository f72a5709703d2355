import type { ComponentBinary } from './component-binary.js';
import type { StringEncoding } from './component-definitions.js';
import type { ExternType, Sort } from './component-names.js';
import type { Declaration, TypeDefinition, TypeRef } from './component-types.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { WitType } from './wit-type.js';

/** Something that a component defines, imports or exports. */
export type Entity = TypeEntity | FunctionEntity | InstanceEntity | ComponentEntity;

export interface TypeEntity {
  readonly sort: 'type';
  readonly type: WitType;
  /** Of an instance type. */
  readonly declares: { readonly declarations: readonly Declaration[]; readonly scope: Scope } | null;
}

export interface FunctionEntity {
  readonly sort: 'function';
  /** Every type that it is said to have: where it is lifted or imported, and at each border on its way. */
  readonly types: readonly WitType[];
  /** The root's import that it comes from; null for the component's own. */
  readonly from: Import | null;
  /** How it takes and gives strings where it is lifted. */
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

/** What can be referred to by an index, in a component or inside an instance type. */
export class Scope {
  readonly #around: Scope | null;
  readonly #spaces = { type: [], function: [], instance: [], component: [] } as {
    readonly [S in Entity['sort']]: Extract<Entity, { sort: S }>[];
  };

  constructor(around: Scope | null) {
    this.#around = around;
  }

  add(entity: Entity): void {
    // TypeScript cannot see that the list of a sort takes what is of that sort.
    (this.#spaces[entity.sort] as Entity[]).push(entity);
  }

  /** Throws HookvisorError `plugin-invalid` where there is none. */
  get<S extends Entity['sort']>(sort: S, index: number | null): Extract<Entity, { sort: S }> {
    const found = index === null ? undefined : this.#spaces[sort][index];
    if (found === undefined) throw invalid(`it refers to a ${sort} that is not there`);
    return found;
  }

  /** By a sort that may be none of those kept here. */
  find(sort: Sort | 'module', index: number): Entity {
    if (sort === 'type' || sort === 'function' || sort === 'instance' || sort === 'component') {
      return this.get(sort, index);
    }
    throw invalid(`it refers to a ${sort} where there can be none`);
  }

  outer(outwards: number): Scope {
    if (outwards === 0) return this;
    if (this.#around === null) throw invalid('it refers to a component around it that is not there');
    return this.#around.outer(outwards - 1);
  }

  /** The type itself for one that is bound to another; a resource of its own for one that is not. */
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
