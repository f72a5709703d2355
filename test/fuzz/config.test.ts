import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/runtime/config/config-error.js';
import { parseConfig } from '../../src/runtime/config/load.js';
import { packageRoot } from '../../src/shared/paths.js';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';
import { mutate, mutations } from './mutate.js';

/** Most time that one configuration may take; what really takes long takes minutes. */
const longestMs = 5_000;

const examples = ['hookvisor.yaml', 'demo/hookvisor.yaml'].map((name) =>
  readFileSync(join(packageRoot, 'examples', name), 'utf8')
    // Comments would take most of the changes.
    .replace(/^\s*#.*\n/gmu, ''),
);

const awkward = [
  '&a [*a, *a]',
  '*nothing',
  '<<: *a',
  '!!js/function x',
  '!!binary AA==',
  '? [1]',
  '{a: {a: {a: 1}}}',
  '- - - 1',
  '"\\x00"',
  '1e999',
  '-0',
  '.nan',
  '0x7fffffffffffffff',
  '~',
  'true',
  '[]',
  '{}',
  '|\n  x',
  '>',
  '%YAML 9.9',
  '---',
  '...',
  '\t',
  '\r',
  '\u2028',
  '\ud83d\ude00',
  '__proto__: 1',
  'constructor: {}',
  '"*" ',
  'a: &x {<<: *x}',
  '999999999999h',
  '64MiB',
  '-1s',
];

/** Lines and words of a configuration taken out, doubled, moved and replaced. */
const lineChange = fc.record({
  kind: fc.constantFrom('drop', 'double', 'move', 'indent', 'value', 'key'),
  at: fc.nat(200),
  to: fc.nat(200),
  text: fc.oneof(fc.constantFrom(...awkward), fc.string({ maxLength: 12 })),
});

function changeLine(
  text: string,
  { kind, at, to, text: other }: typeof lineChange extends fc.Arbitrary<infer T> ? T : never,
): string {
  const lines = text.split('\n');
  const place = at % lines.length;
  const line = lines[place] ?? '';
  const target = to % (lines.length + 1);
  switch (kind) {
    case 'drop':
      return lines.toSpliced(place, 1).join('\n');
    case 'double':
      return lines.toSpliced(target, 0, line).join('\n');
    case 'move':
      return lines.toSpliced(place, 1).toSpliced(target, 0, line).join('\n');
    case 'indent':
      return lines.toSpliced(place, 1, `${' '.repeat(to % 5)}${line.trimStart()}`).join('\n');
    case 'value':
      return lines
        .toSpliced(
          place,
          1,
          line.replace(/(:\s*|-\s+|\[).*/u, (_, before: string) => `${before}${other}`),
        )
        .join('\n');
    case 'key':
      return lines
        .toSpliced(
          place,
          1,
          line.replace(/[\w-]+(?=:)/u, () => other),
        )
        .join('\n');
  }
}

const inputs = fc.oneof(
  fc
    .tuple(fc.constantFrom(...examples), fc.array(lineChange, { minLength: 1, maxLength: 5 }))
    .map(([text, changes]) => changes.reduce(changeLine, text)),
  fc
    .tuple(fc.constantFrom(...examples), mutations)
    .map(([text, changes]) => mutate(Buffer.from(text), changes).toString()),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc
    .array(fc.constantFrom(...awkward, '\n', '  ', 'handlers:', 'routes:', 'version: 1\n'), { maxLength: 20 })
    .map((parts) => parts.join('')),
);

describe('a configuration', () => {
  it(
    'that was changed is taken, or refused with what is wrong and where, in little time',
    async () => {
      for (const text of examples)
        expect(parseConfig(text, '/etc/hookvisor/hookvisor.yaml')).toHaveProperty('handlers');
      await fuzz({
        name: 'config',
        inputs,
        save: (text) => text,
        holds(text) {
          const began = performance.now();
          try {
            expect(parseConfig(text, '/etc/hookvisor/hookvisor.yaml').handlers).toBeInstanceOf(Map);
          } catch (error) {
            if (!(error instanceof ConfigError)) throw error;
            expect(error.code).toBe('config-invalid');
            expect(error.problems.length).toBeGreaterThan(0);
            for (const { line, column } of error.problems) {
              expect(line).toBeGreaterThanOrEqual(1);
              expect(column).toBeGreaterThanOrEqual(1);
            }
          }
          expect(performance.now() - began).toBeLessThan(longestMs);
        },
      });
    },
    fuzzTimeoutMs,
  );
});
