/**
 * Compiles a glob for whole names: `*` matches any run of characters, including an empty one; `?` matches one
 * character; other characters match themselves. Matching is case-sensitive. Names are hostile input of any length, so
 * it uses neither regular expressions nor recursion: the work is bounded by the length of the name times that of the
 * longest part between two `*`.
 */
export function compileGlob(pattern: string): (name: string) => boolean {
  if (isLiteral(pattern)) return (name) => name === pattern;
  if (/^\*+$/.test(pattern)) return () => true;
  const wanted = Array.from(pattern);
  const beginning = pattern.slice(0, pattern.search(/[*?]/));
  // This decides nearly every name, and an event may be compared with many patterns.
  return (name) => name.startsWith(beginning) && matches(wanted, Array.from(name));
}

/** Tells whether a pattern can only match itself. */
export function isLiteral(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}

/** Matches with two pointers: on a mismatch, the last `*` takes one more character, and the rest is retried. */
function matches(pattern: readonly string[], name: readonly string[]): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let starName = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      starName = n;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++starName;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
