import type { Border } from './wasm/component-link.js';
import type { Entity } from './wasm/component-scope.js';
import { refusal, unusable } from '../contract/objection.js';
import type { Objection } from '../contract/objection.js';
import { showType, typeDifference } from './wasm/wit-type.js';
import type { WitType } from './wasm/wit-type.js';
import type { WitInterface } from './wit-interface.js';
import { witWorld } from './wit-world.js';

const rebuild = 'build it with the WIT of this release';

/**
 * Compares a component's imports and exports with the WIT, name by name and type by type. A component may import a
 * subset of an interface. An export with a name of the WIT must be the whole interface. Exports with other names are
 * never called. Interfaces that no component may import are not checked here.
 */
export function checkWorld({ imports, exports, lowered }: Border): Objection[] {
  const objections = [
    ...[...witWorld.imports].flatMap(([name, expected]) => checkImport(name, imports.get(name), expected)),
    ...lowered.flatMap(({ from, types }) => {
      const expected = from && witWorld.imports.get(from.interface)?.functions.get(from.name);
      return from && expected ? checkTypes(from.interface, from.name, { types, expected }) : [];
    }),
    ...[...witWorld.exports].flatMap(([name, expected]) => checkExport(name, exports.get(name), expected)),
  ];
  return [...new Map(objections.map((one) => [one.message, one])).values()];
}

function checkImport(name: string, entity: Entity | undefined, expected: WitInterface): Objection[] {
  // Vetting of the import's name and kind has already refused anything but an instance.
  if (entity?.sort !== 'instance') return [];
  return [...entity.exports].flatMap(([item, one]) => {
    if (one.sort === 'type') return checkTypes(name, item, { types: [one.type], expected: expected.types.get(item) });
    const type = one.sort === 'function' ? expected.functions.get(item) : undefined;
    if (one.sort === 'function' && type !== undefined)
      return checkTypes(name, item, { types: one.types, expected: type });
    const known = [...expected.functions.keys()].join(', ');
    const rule = known === '' ? 'that interface has types only' : `that interface has the functions ${known}`;
    return [
      refusal('import', `it imports the ${one.sort} '${item}' of '${name}'`, rule, { import: `${name}#${item}` }),
    ];
  });
}

function checkExport(name: string, entity: Entity | undefined, expected: WitInterface): Objection[] {
  if (entity?.sort !== 'instance') {
    if (entity === undefined && !witWorld.required.has(name)) return [];
    const what = `it is a component for another world: it lacks the export '${name}'`;
    return [unusable('world', what, 'build it for the world hook-handler')];
  }
  const missing = [...expected.functions.keys()].filter((item) => entity.exports.get(item)?.sort !== 'function');
  return [
    ...missing.map((item) => unusable('world', `its export '${name}' has no function '${item}'`, rebuild)),
    ...[...entity.exports].flatMap(([item, one]) => {
      if (one.sort === 'type') return checkTypes(name, item, { types: [one.type], expected: expected.types.get(item) });
      const type = one.sort === 'function' ? expected.functions.get(item) : undefined;
      if (one.sort === 'function' && type !== undefined)
        return checkTypes(name, item, { types: one.types, expected: type });
      return [
        unusable('world', `its export '${name}' has the ${one.sort} '${item}', which is not in the WIT`, rebuild),
      ];
    }),
  ];
}

interface Compared {
  /** Every type that the item is declared with. */
  readonly types: readonly WitType[];
  readonly expected: WitType | undefined;
}

function checkTypes(name: string, item: string, { types, expected }: Compared): Objection[] {
  const objection = (what: string): Objection[] => [
    unusable('types', `its interface '${name}' has different types: '${what}`, rebuild, { interface: name }),
  ];
  if (expected === undefined) return objection(`${item}' is not in the WIT`);
  for (const type of types) {
    const found = typeDifference(type, expected);
    if (found === null) continue;
    const at = [item, ...found.path].join('.');
    return objection(`${at}' is ${showType(found.actual)} instead of ${showType(found.expected)}`);
  }
  return [];
}
