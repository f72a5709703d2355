import { describe, expect, it } from 'vitest';
import {
  changeBetween,
  differingFields,
  type ComparableAnswer,
} from '../../../src/commands/replay/comparable-answer.js';

const allow: ComparableAnswer = { outcome: 'allow', reason: null, failure: null, fuel: 10, logs: [], document: null };
const deny: ComparableAnswer = { ...allow, outcome: 'deny', reason: 'no' };
const trap: ComparableAnswer = { ...allow, outcome: null, failure: 'trap', reason: 'unreachable' };
const replaced = (document: string | null): ComparableAnswer => ({ ...allow, outcome: 'replace', document });

describe('the change between two answers', () => {
  it.each([
    ['the same is no change', allow, allow, 'same'],
    ['fuel and logs are no change', allow, { ...allow, fuel: 11 }, 'same'],
    ['another outcome is a flip', allow, deny, 'flip'],
    ['another reason is not', deny, { ...deny, reason: 'never' }, 'reworded'],
    ['a failure that is gone is a flip', trap, allow, 'flip'],
    ['a failure that was not there is a new one', allow, trap, 'new-failure'],
    ['another failure is none', trap, { ...trap, failure: 'out-of-fuel' }, 'reworded'],
    ['another document is a flip', replaced('a'), replaced('b'), 'flip'],
    ['a document that is not known is not', replaced('a'), replaced(null), 'same'],
  ] as const)('%s', (_, before, after, change) => {
    expect(changeBetween(before, after)).toBe(change);
  });
});

it('answers differ in every point but a document that is not known', () => {
  expect(differingFields(allow, { ...allow, fuel: 11, logs: [{ level: 'info', message: 'x' }] })).toEqual([
    'fuel',
    'logs',
  ]);
  expect(differingFields(allow, trap)).toEqual(['outcome', 'reason', 'failure']);
  expect(differingFields(replaced('a'), replaced('b'))).toEqual(['document']);
  expect(differingFields(replaced('a'), replaced(null))).toEqual([]);
});
