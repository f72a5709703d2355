/** Finds the known word that a mistyped one most likely means: a prefix, an extension, or within a third of its length. */
export function nearest(word: string, known: readonly string[]): string | null {
  // A mistyped word is never this long, and the distance takes time proportional to the product of both lengths.
  if (word.length === 0 || word.length > 64) return null;
  const typed = plain(word);
  let best: { word: string; distance: number } | null = null;
  for (const candidate of known) {
    const target = plain(candidate);
    // `-` is only punctuation, and the empty word is a prefix of every word.
    if (target === '') continue;
    const begins = typed.length >= 3 && (target.startsWith(typed) || typed.startsWith(target));
    const tolerated = Math.max(1, Math.floor(Math.max(typed.length, target.length) / 3));
    // The distance is at least the difference in length, and takes time proportional to the product of the lengths.
    if (!begins && Math.abs(typed.length - target.length) > tolerated) continue;
    const distance = editDistance(typed, target);
    if ((begins || distance <= tolerated) && (best === null || distance < best.distance))
      best = { word: candidate, distance };
  }
  return best?.word ?? null;
}

/** Normalizes a word: `failure_policy`, `failure-policy` and `FailurePolicy` all mean `failurePolicy`. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/gu, '');
}

/** Counts the insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
