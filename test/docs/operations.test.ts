import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/contract/errors.js';
import { failureCodes } from '../../src/contract/outcome.js';
import { packageRoot } from '../../src/shared/paths.js';

const read = (path: string): string => readFileSync(join(packageRoot, path), 'utf8');
const guide = read('docs/operations.md');

/** The codes that have a row with something to do under a heading. */
function entriesUnder(heading: string): string[] {
  const section = guide.split('\n## ').find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| `([a-z-]+)`\s*\|[^|]*\w[^|]*\|[^|]*\w[^|]*\|$/gmu)].map((match) => match[1] ?? '');
}

describe('docs/operations.md', () => {
  it('has an entry for every code of an error, and for no other', () => {
    expect(entriesUnder('Errors of commands').sort()).toEqual([...errorCodes].sort());
  });

  it('has an entry for every failure of a handler, and for no other', () => {
    expect(entriesUnder('Failures of a handler').sort()).toEqual([...failureCodes].sort());
  });
});
