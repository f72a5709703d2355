import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { differences } from '../../src/testing/differences.js';
import { readCases } from '../../src/testing/cases.js';
import { updateCases } from '../../src/testing/update-cases.js';
import type { HandledEvent } from '../../src/testing/plugin.js';
import { temporaryFolder, write } from '../support/temp.js';

const allowed: HandledEvent = {
  ...{ outcome: 'allow', reason: null, failure: null, document: null, fuel: 7, logs: [], durationMs: 1 },
};
const denied: HandledEvent = { ...allowed, outcome: 'deny', reason: 'too: many, [disks] # now' };

/** The text after an update, when every case has this result; and the cases that it now has. */
async function updated(text: string, result: HandledEvent | { refused: string }) {
  const dir = temporaryFolder();
  await write(dir, 'cases.yaml', text);
  const { cases } = await readCases(`${dir}/cases.yaml`);
  const after = updateCases(
    text,
    cases.map((one) => ({ case: one, result, differences: differences(one.expect, result) })),
  );
  await write(dir, 'after.yaml', after);
  const again = await readCases(`${dir}/after.yaml`);
  expect(again.cases.flatMap((one) => differences(one.expect, result))).toEqual([]);
  return readFile(`${dir}/after.yaml`, 'utf8');
}

const head = `# The cases of a quota.
cases:
    # Indented by four, with "quotes" of its own.
    - name:   'a'      # the first
      argv: ["a",start,   begin,'-']
`;

describe('an update of cases changes failed expectations, and no other byte', () => {
  it.each([
    ['a word', 'expect: allow # why', 'expect: { outcome: deny, reason: "too: many, [disks] # now" } # why'],
    [
      'a mapping on one line',
      'expect: { outcome: allow,  fuel: 9 }   # why',
      'expect: { outcome: deny, reason: "too: many, [disks] # now", fuel: 9 }   # why',
    ],
    [
      'a block',
      'expect:\n        outcome: allow # why\n        fuel: 9',
      'expect: { outcome: deny, reason: "too: many, [disks] # now", fuel: 9 }',
    ],
    [
      'one key of a block',
      'expect:\n        # Denied.\n        outcome: deny\n        reason: "too many" # why\n        fuel: 9',
      'expect:\n        # Denied.\n        outcome: deny\n        reason: "too: many, [disks] # now" # why\n        fuel: 9',
    ],
    [
      'a row of a matrix',
      'matrix:\n        - { expect: { outcome: deny } }\n        - {settings: {a: 1},expect:   allow}  # why',
      'matrix:\n        - { expect: { outcome: deny } }\n        - {settings: {a: 1},expect: { outcome: deny, reason: "too: many, [disks] # now" }}  # why',
    ],
  ])('%s', async (_, before, after) => {
    const rest = '\n\n    - { name: b, argv: [b, start, begin, "-"], expect: { outcome: deny } } # kept\n';
    expect(await updated(head + `      ${before}${rest}`, denied)).toBe(`${head}      ${after}${rest}`);
  });

  it('a document of several lines becomes a literal block', async () => {
    const replaced: HandledEvent = { ...allowed, outcome: 'replace', document: '<a>\n  <b/>\n\n</a>\n' };
    const before = `${head}      expect:\n        outcome: replace\n        document: <a/>   # why\n`;
    const after = `${head}      expect:\n        outcome: replace\n        document: |   # why\n          <a>\n            <b/>\n\n          </a>\n`;
    expect(await updated(before, replaced)).toBe(after);
  });

  it('a refusal', async () => {
    const before = `${head}      expect: { refused: /other/ }\n`;
    expect(await updated(before, { refused: 'the pattern' })).toBe(`${head}      expect: { refused: the pattern }\n`);
  });
});
