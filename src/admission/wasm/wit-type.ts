/**
 * A type of the component model with all that belongs to it, as a TypeDefinition has it by indices. Parts are
 * shared, so that a small component can describe a type that is endless when it is written out: walk along a type of known
 * size only, or to a bounded depth.
 */
export interface WitType {
  /** The name of a primitive, or what kind of type it is: `record`, `list`, `function`. */
  readonly form: string;
  readonly labels: readonly string[];
  readonly parts: readonly (WitType | null)[];
}

/** The first place where two types are not the same. */
export interface TypeDifference {
  /** Names of fields, cases and parameters that lead there; `result` for what a function returns. */
  readonly path: readonly string[];
  readonly actual: WitType | null;
  readonly expected: WitType | null;
}

/**
 * Null when a type is exactly as expected: order, names and all parts. Takes time by the size of the expected one, however
 * large the other is.
 */
export function typeDifference(
  actual: WitType | null,
  expected: WitType | null,
  path: readonly string[] = [],
): TypeDifference | null {
  if (actual === null || expected === null) return actual === expected ? null : { path, actual, expected };
  const same =
    actual.form === expected.form &&
    actual.labels.length === expected.labels.length &&
    actual.parts.length === expected.parts.length &&
    expected.labels.every((label, at) => label === actual.labels[at]);
  if (!same) return { path, actual, expected };
  for (const [at, part] of expected.parts.entries()) {
    const label = expected.labels[at] ?? (expected.form === 'function' ? 'result' : null);
    const found = typeDifference(actual.parts[at] ?? null, part, label === null ? path : [...path, label]);
    if (found !== null) return found;
  }
  return null;
}

/** Deepest part, and most characters, of a type that is shown. */
const shown = { depth: 4, parts: 12 } as const;

/** A type in WIT's words, cut where it is deep or long. */
export function showType(type: WitType | null, depth: number = shown.depth): string {
  if (type === null) return '_';
  const { form, labels, parts } = type;
  if (depth === 0 && labels.length + parts.length > 0) return '…';
  const part = (at: number): string => showType(parts[at] ?? null, depth - 1);
  const named = (at: number): string => {
    const label = labels[at] ?? '';
    if (form === 'variant') return (parts[at] ?? null) === null ? label : `${label}(${part(at)})`;
    return form === 'enum' || form === 'flags' ? label : `${label}: ${part(at)}`;
  };
  const list = (count: number, item: (at: number) => string): string => {
    const items = Array.from({ length: Math.min(count, shown.parts) }, (_, at) => item(at));
    return [...items, ...(count > shown.parts ? ['…'] : [])].join(', ');
  };
  switch (form) {
    case 'function': {
      const result = parts[labels.length] ?? null;
      return `func(${list(labels.length, named)})${result === null ? '' : ` -> ${showType(result, depth - 1)}`}`;
    }
    case 'record':
    case 'variant':
    case 'enum':
    case 'flags':
      return `${form} { ${list(labels.length, named)} }`;
    default:
      return parts.length === 0 ? form : `${form}<${list(parts.length, part)}>`;
  }
}
