import type { Work } from '../slices.js';
import { compileGlob, isLiteral } from './glob.js';

/** The names of rules by index, parsed once for all events. */
export interface RuleNames {
  /** Rules that match every name. */
  readonly always: ReadonlySet<number>;
  readonly literals: ReadonlyMap<string, readonly number[]>;
  readonly globs: readonly Glob[];
}

/** Returns the values of all rules that match a name, in the order of the rules, without repetitions. */
export type NameIndex<T> = (name: string) => readonly T[];

interface Glob {
  readonly rule: number;
  readonly matches: (name: string) => boolean;
}

/** Parses the globs of each rule; null matches every name. */
export function* readNames(rules: readonly (readonly string[] | null)[]): Work<RuleNames> {
  const always = new Set<number>();
  const literals = new Map<string, number[]>();
  const globs: Glob[] = [];
  for (const [rule, names] of rules.entries()) {
    yield;
    if (names === null || names.includes('*')) {
      always.add(rule);
      continue;
    }
    for (const name of names) {
      yield;
      const same = literals.get(name);
      if (!isLiteral(name)) globs.push({ rule, matches: compileGlob(name) });
      else if (same === undefined) literals.set(name, [rule]);
      else same.push(rule);
    }
  }
  return { always, literals, globs };
}

/**
 * Creates an index that looks up literal names in a map and only tries globs one by one. `values` contains the values
 * of each rule; null excludes a rule.
 */
export function createNameIndex<T>(names: RuleNames, values: readonly (readonly T[] | null)[]): NameIndex<T> {
  const useful = withoutRepetitions(names, values);
  const globs = names.globs.filter(({ rule }) => useful.has(rule));
  const always = [...useful.keys()].filter((rule) => names.always.has(rule));

  const valuesOf = (matching: Iterable<number>): readonly T[] => {
    const found = new Set<T>();
    for (const rule of matching) for (const value of useful.get(rule) ?? []) found.add(value);
    return [...found];
  };
  const usual = valuesOf(always);

  return (name) => {
    const named = (names.literals.get(name) ?? []).filter((rule) => useful.has(rule));
    for (const { rule, matches } of globs) if (matches(name)) named.push(rule);
    if (named.length === 0) return usual;
    return valuesOf([...always, ...named].sort((a, b) => a - b));
  };
}

/** Drops values that an earlier rule for every name always adds. */
function withoutRepetitions<T>(
  { always }: RuleNames,
  values: readonly (readonly T[] | null)[],
): ReadonlyMap<number, readonly T[]> {
  const added = new Set<T>();
  const useful = new Map<number, readonly T[]>();
  for (const [rule, all] of values.entries()) {
    const fresh = all?.filter((value) => !added.has(value)) ?? [];
    if (fresh.length === 0) continue;
    useful.set(rule, fresh);
    if (always.has(rule)) for (const value of fresh) added.add(value);
  }
  return useful;
}
