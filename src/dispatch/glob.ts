/**
 * Compiles a glob over whole names: `*` stands for any run of characters, also an empty one, `?` for one character;
 * everything else for itself. Case counts. Names are hostile input of any length, so there is no regular expression
 * and no recursion: the work is bounded by the length of the name times that of the longest piece between two `*`.
 */
export function compileGlob(pattern: string): (name: string) => boolean {
  if (isLiteral(pattern)) return (name) => name === pattern;
  if (/^\*+$/.test(pattern)) return () => true;
  const wanted = Array.from(pattern);
  const beginning = pattern.slice(0, pattern.search(/[*?]/));
  // Nearly every name is done with here, and an event may have to be compared with many patterns.
  return (name) => name.startsWith(beginning) && matches(wanted, Array.from(name));
}

/** Whether the pattern can match only itself. */
export function isLiteral(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}

/** Two pointers: on a mismatch the last `*` takes one character more, and everything after it is tried again. */
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
