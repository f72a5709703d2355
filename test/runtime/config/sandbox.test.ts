import { expect, it } from 'vitest';
import { defaultIsolationLevel } from '../../../src/runtime/config/defaults.js';
import { parseConfig } from '../../../src/runtime/config/load.js';

const sandboxOf = (yaml: string): unknown => parseConfig(`version: 1\n${yaml}`, '/etc/hookvisor.yaml').sandbox;

it('without a sandbox key root requires namespaces, others what is there', () => {
  expect(defaultIsolationLevel(0)).toBe('namespaces');
  expect(defaultIsolationLevel(1000)).toBe('process');
  expect(sandboxOf('')).toEqual({ require: defaultIsolationLevel(), isolation: 'auto' });
});

it('the level and the mechanism can be said', () => {
  expect(sandboxOf('sandbox: { require: user, isolation: unshare }')).toEqual({
    require: 'user',
    isolation: 'unshare',
  });
});

it.each([
  ['sandbox: { require: namespace }', "sandbox.require: 'namespace' is not a valid value; did you mean 'namespaces'?"],
  ['sandbox: { requires: user }', "sandbox.requires: unknown key; did you mean 'require'?"],
  ['sandbox: { isolation: bwrap }', "sandbox.isolation: 'bwrap' is not a valid value"],
])('%s is refused', (yaml, message) => {
  expect(() => sandboxOf(yaml)).toThrow(message);
});
