import { describe, expect, it } from 'vitest';
import { instantiator } from './instantiate.js';

const fresh = await instantiator('naming');

const event = {
  id: 'e',
  time: 1n,
  kind: 'domain',
  name: 'web-1',
  event: 'prepare',
  qualifier: 'begin',
  driver: 'qemu',
};

function decide(changes: object, settings: object = {}, titles: string[] = []): unknown {
  const asked: string[] = [];
  const select = (xpath: string): string[] => {
    asked.push(xpath);
    return xpath === '/domain/title' ? titles : [];
  };
  return fresh({ settings: JSON.stringify(settings), select }).handler.handle({ ...event, ...changes });
}

/** What the plugin says against the settings: the error of its WIT function, which jco throws as it is. */
function objection(settings: unknown): unknown {
  try {
    fresh({ settings: JSON.stringify(settings), select: () => [] }).configurable?.validate();
    return null;
  } catch (error) {
    return error;
  }
}

const allow = { tag: 'allow' };

describe('naming', () => {
  it('allows a name that matches', () => {
    expect(decide({})).toEqual(allow);
  });

  it.each(['prepare', 'start', 'migrate', 'restore'])('denies another name at %s', (operation) => {
    expect(decide({ event: operation, name: 'Web 1' })).toEqual({
      tag: 'deny',
      val: 'the name "Web 1" does not match ^[a-z][a-z0-9-]*$; rename the domain',
    });
  });

  it.each(['started', 'stopped', 'release', 'reconnect', 'attach', 'updated'])('has no say in %s', (operation) => {
    expect(decide({ event: operation, name: 'Web 1' })).toEqual(allow);
  });

  it('judges the names of networks, and leaves the daemon alone', () => {
    expect(decide({ kind: 'network', driver: 'network', event: 'start', name: 'LAN' })).toEqual({
      tag: 'deny',
      val: 'the name "LAN" does not match ^[a-z][a-z0-9-]*$; rename the network',
    });
    expect(decide({ kind: 'daemon', driver: 'daemon', event: 'start', name: '-' })).toEqual(allow);
  });

  it.each(['web\n', '-rf', '../x', 'a b;rm', '', '\u202eweb', 'wéb'])('does not take %j for a good name', (name) => {
    expect(decide({ name })).toMatchObject({ tag: 'deny' });
  });

  it('says what is expected however long the name is', () => {
    expect(decide({ name: 'X'.repeat(4096) })).toEqual({
      tag: 'deny',
      val: `the name "${'X'.repeat(63)}…" does not match ^[a-z][a-z0-9-]*$; rename the domain`,
    });
  });

  it('goes by the pattern of the settings', () => {
    expect(decide({ name: 'VM_1' }, { pattern: '^VM_[0-9]+$' })).toEqual(allow);
    expect(decide({ name: 'web-1' }, { pattern: '^VM_[0-9]+$' })).toMatchObject({ tag: 'deny' });
  });

  it('denies a domain without a title where one is required', () => {
    const denied = {
      tag: 'deny',
      val: 'the domain has no title; add one to its XML: <title>what it is for</title>',
    };
    expect(decide({}, { titleRequired: true })).toEqual(denied);
    expect(decide({}, { titleRequired: true }, [' \n'])).toEqual(denied);
    expect(decide({}, { titleRequired: true }, ['The web'])).toEqual(allow);
    expect(decide({ kind: 'network', driver: 'network' }, { titleRequired: true })).toEqual(allow);
  });
});

describe('the settings of naming', () => {
  it.each([{}, { pattern: '.' }, { titleRequired: true }, { pattern: '^\\p{Ll}+$', titleRequired: false }])(
    '%j are taken',
    (settings) => {
      expect(objection(settings)).toBeNull();
    },
  );

  it.each([
    [{ patern: 'x' }, 'unknown setting "patern"; expected pattern or titleRequired'],
    [{ pattern: 1 }, 'pattern must be a regular expression as text'],
    [{ pattern: null }, 'pattern must be a regular expression as text'],
    [{ titleRequired: 'yes' }, 'titleRequired must be true or false'],
    [{ titleRequired: [] }, 'titleRequired must be true or false'],
  ])('%j are refused', (settings, error) => {
    expect(objection(settings)).toBe(error);
  });

  it('a pattern that is no regular expression is refused', () => {
    expect(objection({ pattern: '[' })).toMatch(/^pattern "\[" is not a regular expression: ./u);
  });
});
