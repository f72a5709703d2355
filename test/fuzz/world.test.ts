import fc from 'fast-check';
import { componentEmbed, componentNew } from '@bytecodealliance/jco';
import { describe, expect, it } from 'vitest';
import { examine } from '../../src/admission/vet.js';
import { witPackage } from '../../scripts/wit.mjs';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';

const options = { memoryBytes: 4 * 1024 * 1024 };

/** A component of the whole world, whose functions do nothing. Throws where the text is not WIT. */
async function componentOf(wit: string): Promise<Buffer> {
  const embedded = await componentEmbed({ witSource: wit, world: 'configurable-hook-handler', dummy: true });
  return Buffer.from(await componentNew(embedded, []));
}

/** One change of the world. The place is one of those where such a change can be made, counted around. */
interface Change {
  readonly kind: 'type' | 'rename' | 'swap' | 'remove' | 'add' | 'parameter' | 'result' | 'function' | 'form' | 'nest';
  readonly at: number;
  readonly pick: number;
}

const kinds = ['type', 'rename', 'swap', 'remove', 'add', 'parameter', 'result', 'function', 'form', 'nest'] as const;

const changes: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...kinds),
  at: fc.nat(99),
  pick: fc.nat(99),
});

const types = ['bool', 'u8', 's32', 'u64', 'f64', 'char', 'string', 'list<u8>', 'option<string>', 'tuple<string, u8>'];

/** Replaces one of the places that a pattern finds, counted around; null where there is none. */
function replaced(wit: string, pattern: RegExp, at: number, by: (found: string) => string): string | null {
  const places = [...wit.matchAll(pattern)];
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return null;
  const [found] = place;
  const text = by(found);
  return text === found ? null : wit.slice(0, place.index) + text + wit.slice(place.index + found.length);
}

/** A line with a field or a case. */
const member = /^ {8}[a-z][a-z-]*(?:\(.*\)|: .*)?,$/gmu;
const func = /[a-z]+: func\(.*;$/gmu;

/** The world with the change; null where it cannot be made or changes nothing. */
function changed(wit: string, { kind, at, pick }: Change): string | null {
  const type = types[pick % types.length] ?? 'bool';
  switch (kind) {
    case 'type':
      return replaced(wit, /(?<=[:(<] ?)(?:string|u64|option<string>|list<string>)(?=[,)>]|;$)/gmu, at, () => type);
    case 'rename':
      return replaced(wit, /(?<=^ {4,8})[a-z-]+(?=[:,(])|(?<=func\()[a-z]+(?=:)/gmu, at, (name) => `${name}x`);
    case 'swap':
      return replaced(wit, /^ {8}\S.*,\n {8}\S.*,$/gmu, at, (two) => two.split('\n').reverse().join('\n'));
    case 'remove':
      return replaced(wit, member, at, () => '');
    case 'add':
      return replaced(wit, member, at, (line) => `${line}\n${line.replace(/[a-z-]+/u, (name) => `${name}-more`)}`);
    case 'parameter':
      return replaced(wit, /func\((?=.)/gu, at, (text) =>
        pick % 2 === 0 ? `${text}more: ${type}, ` : `${text}m${at}: u8, `,
      );
    case 'result':
      return replaced(wit, func, at, (line) =>
        line.includes('->') ? line.replace(/ -> .*/u, ';') : line.replace(';', ` -> ${type};`),
      );
    case 'function':
      return replaced(wit, func, at, (line) => (pick % 3 === 0 ? '' : `${line}\nmore: func() -> ${type};`));
    case 'form':
      return replaced(wit, /^ {4}(?:enum|variant) /gmu, at, (form) =>
        form.includes('enum') ? '    flags ' : '    record ',
      );
    case 'nest':
      return replaced(wit, /\boption<string>|\blist<string>|\bu64\b/gu, at, (inner) => `option<${inner}>`);
  }
}

/** Whether a change of this kind gives a world at all. */
async function canBeMade(wit: string, kind: Change['kind']): Promise<boolean> {
  for (let at = 0; at < 20; at += 1) {
    const other = changed(wit, { kind, at, pick: at });
    if (other !== null && (await componentOf(other).catch(() => null)) !== null) return true;
  }
  return false;
}

/** A component need not import all of an interface. */
const importsLess = (wit: string, other: string): boolean =>
  ['text', 'select', 'json', 'write'].some(
    (name) => replaced(wit, new RegExp(`${name}: func\\(.*;$`, 'gmu'), 0, () => '') === other,
  );

describe('a component whose world', () => {
  it(
    'is nearly that of the WIT is refused by name, and one with exactly that world is not',
    async () => {
      // Comments say the same to people only, and hold words that look like declarations.
      const wit = (await witPackage()).replace(/^ *(?:\/\/\/.*|@since.*)\n/gmu, '');
      expect(examine(await componentOf(wit), 'component', options).objections).toEqual([]);
      expect(examine(await componentOf(await witPackage()), 'component', options).objections).toEqual([]);
      for (const kind of kinds) expect([kind, await canBeMade(wit, kind)]).toEqual([kind, true]);
      await fuzz({
        name: 'world-types',
        inputs: changes,
        holds: async (change) => {
          const other = changed(wit, change);
          if (other === null) return;
          const plugin = await componentOf(other).catch(() => null);
          // It is no WIT: flags have no payloads, and what is used has to be there.
          if (plugin === null) return;
          const [first] = examine(plugin, 'component', options).objections;
          if (importsLess(wit, other)) {
            expect(first).toBeUndefined();
            return;
          }
          expect(first?.rule).toMatch(/^(?:import|types|world)$/u);
          expect(first?.message).toContain("'hookvisor:hook/");
        },
        save: (change) => changed(wit, change) ?? '',
      });
    },
    fuzzTimeoutMs,
  );
});
