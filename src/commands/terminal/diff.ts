import { diffArrays } from 'diff';

/** One line of a comparison: in both texts, only in the expected one, or only in the actual one. */
export interface DiffLine {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** Texts that differ in more lines are not aligned: the comparison takes time in proportion to their square. */
const mostEdits = 2_000;

/** Compares two texts line by line, with as few changed lines as possible. */
export function diffLines(expected: string, actual: string): DiffLine[] {
  const [before, after] = [expected.split('\n'), actual.split('\n')];
  const changes = diffArrays(before, after, { maxEditLength: mostEdits });
  if (changes === undefined) return [...signed('-', before), ...signed('+', after)];
  return changes.flatMap(({ value, added, removed }) => signed(added ? '+' : removed ? '-' : ' ', value));
}

function signed(sign: DiffLine['sign'], lines: readonly string[]): DiffLine[] {
  return lines.map((text) => ({ sign, text }));
}
