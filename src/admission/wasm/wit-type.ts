/**
 * A type of the component model with all of its parts; a TypeDefinition refers to them by index. Parts are shared, so a
 * small component can describe a type that is enormous when written out. Only walk it along a type of known size or to
 * a bounded depth.
 */
export interface WitType {
  /** The name of a primitive, or the kind of type: `record`, `list`, `function`. */
  readonly form: string;
  readonly labels: readonly string[];
  readonly parts: readonly (WitType | null)[];
}

/** The first place where two types differ. */
export interface TypeDifference {
  /** Names of fields, cases and parameters that lead to it; `result` for the result of a function. */
  readonly path: readonly string[];
  readonly actual: WitType | null;
  readonly expected: WitType | null;
}

/**
 * Returns the first difference, or null if a type is exactly as expected: order, names and all parts. The time depends
 * only on the size of the expected type.
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

/** Bounds on the types in messages: depth, and parts of one type. */
const shown = { depth: 4, parts: 12 } as const;

/** Formats a type in WIT syntax, cut off where it is deep or long. */
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
