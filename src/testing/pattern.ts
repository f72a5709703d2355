/** A literal text, or a regular expression. */
export type Pattern = string | RegExp;

const regular = /^\/(.+)\/([imsu]*)$/su;

/** Parses a pattern: `/…/` with flags i, m, s or u is a regular expression (null if invalid), other text is literal. */
export function parsePattern(text: string): Pattern | null {
  const [, source, flags] = regular.exec(text) ?? [];
  if (source === undefined) return text;
  try {
    return new RegExp(source, flags);
  } catch {
    return null;
  }
}

export function matches(pattern: Pattern, text: string): boolean {
  return typeof pattern === 'string' ? pattern === text : pattern.test(text);
}
