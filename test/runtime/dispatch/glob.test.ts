import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, isLiteral } from '../../../src/runtime/dispatch/glob.js';

/** The definition, literally; exponential. */
function naive(pattern: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return name.length === 0;
  if (first === '*') return naive(rest, name) || (name.length > 0 && naive(pattern, name.slice(1)));
  return name.length > 0 && (first === '?' || first === name[0]) && naive(rest, name.slice(1));
}

describe('a glob', () => {
  it.each([
    ['tenant-*', 'tenant-a', true],
    ['tenant-*', 'tenant-', true],
    ['tenant-*', 'xtenant-a', false],
    ['*', '', true],
    ['?', '', false],
    ['?', '🐧', true],
    ['vm?', 'vm12', false],
    ['a*b*c', 'a--b--b--c', true],
    ['a*b*c', 'a--c--b', false],
    ['*.example', 'x\ny.example', true],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['Web', 'web', false],
  ])('%j matches %j: %s', (pattern, name, matches) => {
    expect(compileGlob(pattern)(name)).toBe(matches);
  });

  it('agrees with the definition on every pattern and name', () => {
    const short = (chars: string, maxLength: number): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...Array.from(chars)), { maxLength }).map((list) => list.join(''));
    fc.assert(
      fc.property(short('ab🐧*?', 7), short('ab🐧', 9), (pattern, name) => {
        expect(compileGlob(pattern)(name)).toBe(naive(Array.from(pattern), Array.from(name)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no longer than length times length on the worst pattern and a hostile name', () => {
    const matches = compileGlob(`${'*a'.repeat(50)}b`);
    const began = performance.now();
    expect(matches('a'.repeat(64 * 1024))).toBe(false);
    expect(performance.now() - began).toBeLessThan(500);
  });

  it('is literal without a wildcard', () => {
    expect(['a', '[a]', 'a*', '?'].map(isLiteral)).toEqual([true, true, false, false]);
  });
});
