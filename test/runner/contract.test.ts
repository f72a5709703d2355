import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extismInput, extismObjection, extismOutput, toExtismConfig } from '../../src/runner/contract.js';
import { HookvisorError } from '../../src/contract/errors.js';

describe('extismOutput', () => {
  it.each([
    { outcome: 'allow' },
    { outcome: 'deny', reason: 'no' },
    { outcome: 'deny', reason: '' },
    { outcome: 'replace', document: '<domain/>' },
  ])('%j is an outcome', (value) => {
    expect(extismOutput.parse(value)).toEqual(value);
  });

  it.each([
    null,
    'allow',
    [],
    {},
    { outcome: 'Allow' },
    { outcome: 'allow', reason: 'why not' },
    { outcome: 'deny' },
    { outcome: 'deny', reason: null },
    { outcome: 'deny', reason: 'no', document: '<domain/>' },
    { outcome: 'replace' },
    { outcome: 'replace', document: '<domain/>', log: [] },
  ])('%j is no outcome', (value) => {
    expect(extismOutput.safeParse(value).success).toBe(false);
  });
});

describe('extismInput', () => {
  const event = {
    id: 'e1',
    time: 1,
    kind: 'domain',
    name: 'tiny',
    event: 'start',
    qualifier: 'begin',
    extra: null,
    driver: 'qemu',
    uuid: null,
  };

  it('takes an event without a document', () => {
    expect(extismInput.parse({ event, document: null })).toEqual({ event, document: null });
  });

  it('needs every field of the event', () => {
    for (const key of Object.keys(event)) {
      const rest = Object.fromEntries(Object.entries(event).filter(([other]) => other !== key));
      expect(extismInput.safeParse({ event: rest, document: null }).success).toBe(false);
    }
  });

  it('knows no negative or broken time', () => {
    for (const time of [-1, 1.5, Number.NaN]) {
      expect(extismInput.safeParse({ event: { ...event, time }, document: null }).success).toBe(false);
    }
  });
});

describe('extismObjection', () => {
  it('is an error text and nothing else', () => {
    expect(extismObjection.parse({ error: 'x' })).toEqual({ error: 'x' });
    expect(extismObjection.safeParse({}).success).toBe(false);
    expect(extismObjection.safeParse({ error: 'x', more: 1 }).success).toBe(false);
  });
});

describe('toExtismConfig', () => {
  it('hands strings over as they are and all other values as JSON', () => {
    const settings = { a: 'text', b: 4, c: true, d: null, e: { f: [1, 'x'] }, g: '' };
    expect(toExtismConfig(JSON.stringify(settings))).toEqual({
      a: 'text',
      b: '4',
      c: 'true',
      d: 'null',
      e: '{"f":[1,"x"]}',
      g: '',
    });
  });

  it('keeps every key of any settings', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (settings) => {
        expect(Object.keys(toExtismConfig(JSON.stringify(settings))).sort()).toEqual(
          Object.keys(settings)
            .filter((key) => key !== '__proto__')
            .sort(),
        );
      }),
    );
  });

  it.each(['[]', '1', 'null', '"x"', '', '{'])('refuses %j', (text) => {
    expect(() => toExtismConfig(text)).toThrow(
      new HookvisorError(
        'plugin-settings',
        `Cannot use the settings '${text}': they are not a JSON object; use keys and values`,
      ),
    );
  });
});
