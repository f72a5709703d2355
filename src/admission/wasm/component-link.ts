import { admissionBounds } from './admission-bounds.js';
import type { ComponentBinary } from './component-binary.js';
import type { Definition, Named, StringEncoding } from './component-definitions.js';
import type { Alias, ExternType } from './component-names.js';
import { Scope } from './component-scope.js';
import type { Entity, FunctionEntity, Import, TypeEntity } from './component-scope.js';
import { requireAtMost } from '../../contract/objection.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { WitType } from './wit-type.js';

type Exports = ReadonlyMap<string, Entity>;

/** The imports and exports of a component, with all types. */
export interface Border {
  readonly imports: Exports;
  readonly exports: Exports;
  /**
   * Functions of imported interfaces that core modules receive, with every type that they are declared with on the way.
   */
  readonly lowered: readonly FunctionEntity[];
  /** The encodings in which strings pass between components inside it. */
  readonly passed: ReadonlySet<StringEncoding>;
}

/**
 * Follows a component's imports and exports through all of its definitions and nested components to the places where
 * functions are lifted and lowered. Runs nothing. The component must not pass components around. Throws HookvisorError
 * `plugin-invalid` for a reference to nothing, or `plugin-refused` if there is too much to follow.
 */
export function linkComponent(component: ComponentBinary): Border {
  const linker = new Linker();
  const exports = linker.instantiate(component, null, null);
  return { imports: linker.imports, exports, lowered: linker.lowered, passed: linker.passed };
}

class Linker {
  readonly imports = new Map<string, Entity>();
  readonly lowered: FunctionEntity[] = [];
  readonly passed = new Set<StringEncoding>();
  #spent = 0;

  #spend(count: number): void {
    this.#spent += count;
    requireAtMost(this.#spent, admissionBounds.linked, 'definitions in all of its instances');
  }

  /** `given` is null for the outermost component, whose imports come from the host. */
  instantiate({ definitions }: ComponentBinary, around: Scope | null, given: Exports | null): Exports {
    const scope = new Scope(around);
    const exports = new Map<string, Entity>();
    for (const definition of definitions) {
      this.#spend(1);
      const entity = this.#entity(definition, scope, given);
      if (entity === null) continue;
      scope.add(entity);
      if (definition.is === 'export') exports.set(definition.name, entity);
    }
    return exports;
  }

  #entity(definition: Definition<ComponentBinary>, scope: Scope, given: Exports | null): Entity | null {
    switch (definition.is) {
      case 'type':
        this.#spend(definition.type.parts.length);
        return scope.define(definition.type);
      case 'import':
        return this.#import(definition.name, definition.type, { scope, given });
      case 'alias':
        return alias(definition.alias, scope);
      case 'lift':
        return {
          sort: 'function',
          types: [scope.get('type', definition.type).type],
          from: null,
          encoding: definition.encoding,
        };
      case 'lower': {
        const lowered = scope.get('function', definition.function);
        if (lowered.from !== null) this.lowered.push(lowered);
        else this.passed.add(lowered.encoding).add(definition.encoding);
        return null;
      }
      case 'component':
        return { sort: 'component', component: definition.component };
      case 'instantiate': {
        const { component } = scope.get('component', definition.component);
        return { sort: 'instance', exports: this.instantiate(component, scope, this.#named(definition.with, scope)) };
      }
      case 'bundle':
        return { sort: 'instance', exports: this.#named(definition.exports, scope) };
      case 'export': {
        const entity = scope.find(definition.sort, definition.index);
        return definition.type === null ? entity : this.#narrow(entity, definition.type, scope);
      }
    }
  }

  #named(all: readonly Named[], scope: Scope): Exports {
    this.#spend(all.length);
    return new Map(all.map(({ name, sort, index }) => [name, scope.find(sort, index)]));
  }

  #import(name: string, type: ExternType, { scope, given }: { scope: Scope; given: Exports | null }): Entity {
    if (given === null) {
      const entity = this.#declared(type, scope, { interface: name, name: '' });
      this.imports.set(name, entity);
      return entity;
    }
    const entity = given.get(name);
    if (entity === undefined) throw invalid('a component inside it is instantiated without one of its imports');
    return this.#narrow(entity, type, scope);
  }

  /** Returns an item of which only the type is known. `from` names its import if it comes from the host. */
  #declared(extern: ExternType, scope: Scope, from: Import | null, depth = 0): Entity {
    if (extern.sort === 'type') return scope.bound(extern);
    const { type, declares } = scope.get('type', extern.type);
    if (extern.sort === 'function') return { sort: 'function', types: [type], from, encoding: 'utf8' };
    if (extern.sort !== 'instance' || declares === null)
      throw invalid('it imports or exports an item of the wrong sort');
    return { sort: 'instance', exports: this.#declarations(declares, from, depth) };
  }

  #declarations(
    { declarations, scope: around }: NonNullable<TypeEntity['declares']>,
    from: Import | null,
    depth: number,
  ): Exports {
    if (depth > deepest) throw invalid(`it nests instances deeper than ${deepest}`);
    const scope = new Scope(around);
    const exports = new Map<string, Entity>();
    for (const declaration of declarations) {
      this.#spend(1);
      switch (declaration.is) {
        case 'type':
          this.#spend(declaration.type.parts.length);
          scope.add(scope.define(declaration.type));
          break;
        case 'alias': {
          const entity = alias(declaration.alias, scope);
          if (entity !== null) scope.add(entity);
          break;
        }
        case 'export': {
          const { name } = declaration;
          const entity = this.#declared(declaration.type, scope, from && { ...from, name }, depth + 1);
          scope.add(entity);
          exports.set(name, entity);
        }
      }
    }
    return exports;
  }

  /** Returns an item as it is seen through a declared type. Its functions keep both types. */
  #narrow(entity: Entity, extern: ExternType, scope: Scope): Entity {
    if (extern.sort === 'type') return entity;
    return this.#seenAs(entity, this.#declared(extern, scope, null));
  }

  #seenAs(entity: Entity, declared: Entity): Entity {
    if (entity.sort === 'function' && declared.sort === 'function') {
      const types: readonly WitType[] = [...entity.types, ...declared.types];
      this.#spend(types.length);
      return { ...entity, types };
    }
    if (entity.sort !== 'instance' || declared.sort !== 'instance') return entity;
    const exports = new Map<string, Entity>();
    for (const [name, one] of declared.exports) {
      const found = entity.exports.get(name);
      if (found === undefined) throw invalid('an instance in it lacks an export that its type declares');
      exports.set(name, this.#seenAs(found, one));
    }
    return { sort: 'instance', exports };
  }
}

/** Deepest nesting of instance types. */
const deepest = 16;

/** Returns null for a core item, to which no definition here refers. */
function alias(one: Alias, scope: Scope): Entity | null {
  if (one.of === 'core export' || one.sort === 'core') return null;
  if (one.of === 'outer') return scope.outer(one.outwards).find(one.sort, one.index);
  const found = scope.get('instance', one.instance).exports.get(one.name);
  if (found === undefined || found.sort !== one.sort)
    throw invalid('it uses an export that an instance in it does not have');
  return found;
}
