/** A text that must be met to the letter, or a regular expression. */
export type Pattern = string | RegExp;

const regular = /^\/(.+)\/([imsu]*)$/su;

/** `/…/` with the flags i, m, s and u is a regular expression, any other text stands for itself; null when it is broken. */
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
