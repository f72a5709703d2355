import { expect, it } from 'vitest';
import { diffLines } from '../../../src/commands/terminal/diff.js';

it('aligns what both texts have', () => {
  expect(diffLines('a\nb\nc', 'a\nx\nc')).toEqual([
    { sign: ' ', text: 'a' },
    { sign: '-', text: 'b' },
    { sign: '+', text: 'x' },
    { sign: ' ', text: 'c' },
  ]);
});

it('shows only the lines that differ of a long text', () => {
  const lines = Array.from({ length: 20_000 }, (_, at) => `line ${at}`);
  const changed = diffLines(lines.join('\n'), lines.with(9_000, 'another').join('\n'));
  expect(changed.filter(({ sign }) => sign !== ' ')).toEqual([
    { sign: '-', text: 'line 9000' },
    { sign: '+', text: 'another' },
  ]);
});

it('does not align long texts that have nothing in common', () => {
  const [before, after] = ['a', 'b'].map((letter) =>
    Array.from({ length: 5_000 }, (_, at) => `${letter}${at}`).join('\n'),
  );
  const start = performance.now();
  expect(diffLines(before ?? '', after ?? '')).toHaveLength(10_000);
  expect(performance.now() - start).toBeLessThan(5_000);
});
