import { compileGlob, isLiteral } from './glob.js';

/** Values for the names that match one of the globs; null matches every name. */
export interface NameRule<T> {
  readonly names: readonly string[] | null;
  readonly values: readonly T[];
}

/** Returns the values of all rules that match a name, in the order of the rules, without repetitions. */
export type NameIndex<T> = (name: string) => readonly T[];

interface Glob {
  readonly rule: number;
  readonly matches: (name: string) => boolean;
}

/** Creates an index that looks up literal names in a map and only tries globs one by one. */
export function createNameIndex<T>(rules: readonly NameRule<T>[]): NameIndex<T> {
  const useful = withoutRepetitions(rules);
  const always: number[] = [];
  const literals = new Map<string, number[]>();
  const globs: Glob[] = [];
  for (const [rule, { names }] of useful.entries()) {
    if (names === null) {
      always.push(rule);
      continue;
    }
    for (const name of names) {
      if (isLiteral(name)) literals.set(name, [...(literals.get(name) ?? []), rule]);
      else globs.push({ rule, matches: compileGlob(name) });
    }
  }

  const valuesOf = (matching: Iterable<number>): readonly T[] => {
    const values = new Set<T>();
    for (const rule of matching) for (const value of useful[rule]?.values ?? []) values.add(value);
    return [...values];
  };
  const usual = valuesOf(always);

  return (name) => {
    const named = [
      ...(literals.get(name) ?? []),
      ...globs.filter(({ matches }) => matches(name)).map(({ rule }) => rule),
    ];
    if (named.length === 0) return usual;
    return valuesOf([...always, ...named].sort((a, b) => a - b));
  };
}

/** Drops values that an earlier rule for every name always adds. */
function withoutRepetitions<T>(rules: readonly NameRule<T>[]): NameRule<T>[] {
  const added = new Set<T>();
  const useful: NameRule<T>[] = [];
  for (const rule of rules) {
    const values = rule.values.filter((value) => !added.has(value));
    if (values.length === 0) continue;
    const names = rule.names?.includes('*') === true ? null : rule.names;
    useful.push({ names, values });
    if (names === null) for (const value of values) added.add(value);
  }
  return useful;
}
