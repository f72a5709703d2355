import { isolationMechanisms } from '../../../src/config/config.js';
import type { IsolationMechanism } from '../../../src/config/config.js';
import { chooseIsolation } from '../../../src/sandbox/isolation/choose-isolation.js';
import type { ChosenIsolation } from '../../../src/sandbox/isolation/choose-isolation.js';
import { HookvisorError } from '../../../src/errors.js';

/** A mechanism on this machine, or why it is not there. */
export type Found = { readonly name: IsolationMechanism } & (
  { readonly chosen: ChosenIsolation; readonly why: null } | { readonly chosen: null; readonly why: string }
);

/** Every mechanism, tried. */
export const found: readonly Found[] = isolationMechanisms.map((name) => {
  try {
    return { name, chosen: chooseIsolation({ require: 'process', isolation: name }), why: null };
  } catch (error) {
    if (!(error instanceof HookvisorError)) throw error;
    return { name, chosen: null, why: error.message.split('\n').find((line) => line.includes(`${name}:`)) ?? '' };
  }
});
