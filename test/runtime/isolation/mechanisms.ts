import { isolationMechanisms } from '../../../src/contract/isolation-level.js';
import type { IsolationMechanism } from '../../../src/contract/isolation-level.js';
import { chooseIsolation } from '../../../src/runtime/isolation/choose-isolation.js';
import type { ChosenIsolation } from '../../../src/runtime/isolation/choose-isolation.js';
import { HookvisorError } from '../../../src/contract/errors.js';

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
