import { describe, expect, it } from 'vitest';
import type { Expectation } from '../../src/testing/case-schema.js';
import { differences } from '../../src/testing/differences.js';
import type { HandledEvent } from '../../src/testing/plugin.js';

const allowed: HandledEvent = {
  outcome: 'allow',
  reason: null,
  failure: null,
  document: null,
  fuel: 100,
  logs: [{ level: 'info', message: 'hello' }],
  durationMs: 1,
};
const denied: HandledEvent = { ...allowed, outcome: 'deny', reason: 'no' };

describe('a result differs from what was expected', () => {
  it.each<[string, Expectation, HandledEvent | { refused: string }, object[]]>([
    ['in nothing', { outcome: 'allow', fuel: 100, logs: ['info: hello'] }, allowed, []],
    ['in nothing, by pattern', { outcome: 'deny', reason: /^n/u, logs: [/hello$/u] }, denied, []],
    ['in its outcome', { outcome: 'allow' }, denied, [{ what: 'outcome', expected: 'allow', actual: 'deny: no' }]],
    ['in its reason', { outcome: 'deny', reason: 'yes' }, denied, [{ what: 'reason', expected: 'yes', actual: 'no' }]],
    ['in fuel', { outcome: 'allow', fuel: 99 }, allowed, [{ what: 'fuel', expected: 'at most 99', actual: '100' }]],
    ['in logs', { outcome: 'allow', logs: [] }, allowed, [{ what: 'logs', expected: 'none', actual: 'info: hello' }]],
    [
      'in that it was refused',
      { outcome: 'allow' },
      { refused: 'bad' },
      [{ what: 'loading', expected: 'allow', actual: 'refused: bad' }],
    ],
    [
      'in that it was not refused',
      { refused: /bad/u },
      allowed,
      [{ what: 'outcome', expected: 'refused /bad/u', actual: 'allow' }],
    ],
    [
      'in its failure',
      { failure: 'trap' },
      { ...allowed, outcome: null, failure: 'out-of-fuel', reason: 'all used' },
      [{ what: 'outcome', expected: 'failure trap', actual: 'failure out-of-fuel: all used' }],
    ],
  ])('%s', (_, expected, result, found) => {
    expect(differences(expected, result)).toEqual(found);
  });
});
