import { beforeAll, describe, expect, it } from 'vitest';
import type { Artefact } from '../../src/contract/artefact.js';
import { HookvisorError } from '../../src/contract/errors.js';
import { bounds } from '../../src/contract/limits.js';
import { hugeData } from '../fixtures/hostile/generate.js';
import { guestsIn, lonelyGuest } from '../support/hostile.js';
import { arenaLimits, endingOf, wakingCall } from './arena.js';
import type { Arena, Contender, Ending } from './arena.js';

/** How its events end, or why it is not loaded. */
interface Claim {
  readonly title: string;
  readonly ends?: Partial<Record<keyof Ending, unknown>>;
  readonly fuel?: number;
  readonly refusal?: { readonly code: string; readonly message: RegExp };
}

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const outOfFuel = { failure: 'out-of-fuel', fuel: arenaLimits.fuel };
const trap = { failure: 'trap', message: matching(/^the plug-in trapped: /u) };
/** How deep a stack may get is for V8 to say: the guest is told nothing that would depend on it. */
const outOfStack = { failure: 'trap', message: 'the plug-in trapped: call stack exhausted', fuel: null };
/** For those that ask the host at each step of their way down. */
const fuelForAnyStack = 1_000_000_000;
const outside = {
  failure: 'protocol',
  message: matching(/^the plug-in broke the contract: .*(outside the bounds|Invalid typed array length)/u),
};
const allow = { outcome: 'allow', failure: null };
const objection = (message: RegExp) => ({ code: 'plugin-settings', message });

const both: Record<string, Claim> = {
  'start-loop': { title: 'an endless start function uses up its fuel', ends: outOfFuel },
  'start-trap': { title: 'a start function that traps fails each event', ends: trap },
  'start-memory': { title: 'a start function meets the limit of memory', ends: { failure: 'out-of-memory' } },
  'start-recursion': {
    title: 'a start function without end to its calls traps, without a count',
    ends: outOfStack,
  },
  'data-beyond-memory': { title: 'data beyond the memory fails each event', ends: { failure: 'trap' } },
  'elements-beyond-table': { title: 'elements beyond a table fail each event', ends: { failure: 'trap' } },
  'validate-loop': {
    title: 'an endless validate rejects the settings',
    refusal: objection(/it could not check them, the plug-in used all of its 50000000 steps/u),
  },
  'validate-trap': {
    title: 'a validate that traps rejects the settings',
    refusal: objection(/it could not check them, the plug-in trapped: /u),
  },
};

const component: Record<string, Claim> = {
  'realloc-loop': { title: 'an endless cabi_realloc uses up its fuel', ends: outOfFuel },
  'realloc-trap': { title: 'a cabi_realloc that traps is a trap', ends: trap },
  'realloc-beyond-memory': { title: 'room beyond the memory breaks the contract', ends: outside },
  'realloc-negative': { title: 'room at a negative address breaks the contract', ends: outside },
  'realloc-overlaps': { title: 'room that overlaps harms only the guest itself', ends: allow },
  'realloc-reenters': {
    title: 'a guest that asks again while it is answered traps',
    ends: { failure: 'trap', message: 'the plug-in trapped: cannot leave component instance' },
  },
  'calls-itself': {
    title: 'a guest that calls its own export runs out of stack, without a count',
    ends: outOfStack,
    fuel: fuelForAnyStack,
  },
  'several-memories': {
    title: 'several memories have the limit of one',
    ends: { outcome: 'deny', text: String(arenaLimits.memoryBytes / 65_536) },
  },
  'post-return-loop': { title: 'an endless post-return uses up its fuel', ends: outOfFuel },
  'post-return-trap': { title: 'a post-return that traps is a trap', ends: trap },
  'post-return-logs': {
    title: 'a post-return that calls the host is a trap',
    ends: { failure: 'trap', message: 'the plug-in trapped: cannot leave component instance' },
  },
  'start-logs': { title: 'a start function that calls the host fails', ends: { outcome: null, failure: 'trap' } },
  'validate-escapes': {
    title: 'an objection is told without its control characters',
    refusal: objection(/rejects its settings: \\x1b\[2J\\x1b\]0;owned\\x07no root#; /u),
  },
};

const extism: Record<string, Claim> = {
  'initialize-loop': { title: 'an endless _initialize is not run', ends: allow },
  'haskell-loop': { title: 'an endless hs_init uses up its fuel', ends: outOfFuel },
  'initialize-global': { title: 'an _initialize that is no function is not run', ends: allow },
  'own-meter': { title: "exports by the meter's names do not move the meter", ends: outOfFuel },
  'answer-from-settings': { title: 'an answer of nothing breaks the contract', ends: { failure: 'protocol' } },
};

const claims: Record<Artefact['backend'], Record<string, Claim>> = {
  component: { ...both, ...component },
  extism: { ...both, ...extism },
};

/** Guests that need a plugin of their own. */
export function lonelyGuests(current: () => Arena): void {
  describe.each(['component', 'extism'] as const)('a hostile plugin of the %s backend:', (backend) => {
    const loads = new Map<string, Promise<Contender | HookvisorError>>();
    beforeAll(async () => {
      for (const [guest, { fuel = arenaLimits.fuel }] of Object.entries(claims[backend])) {
        const limits = { ...arenaLimits, fuel };
        const load = current().load(backend, await lonelyGuest(backend, guest), { limits });
        const settled = load.catch((error: unknown) => {
          if (error instanceof HookvisorError) return error;
          throw error;
        });
        settled.catch(() => undefined);
        loads.set(guest, settled);
      }
    }, 60_000);

    it('has a claim made of it', () => {
      expect(Object.keys(claims[backend]).sort()).toEqual(
        [...guestsIn('both/alone'), ...guestsIn(`${backend}/alone`)].sort(),
      );
    });

    it.each(Object.entries(claims[backend]).map(([guest, claim]) => ({ guest, ...claim })))(
      '$guest: $title',
      async ({ guest, ends, refusal }) => {
        const arena = current();
        const loaded = await loads.get(guest);
        if (refusal !== undefined) {
          expect(loaded).toMatchObject({ code: refusal.code, message: matching(refusal.message) });
          await arena.neighbourAnswers();
          return;
        }
        if (loaded === undefined || loaded instanceof HookvisorError)
          throw new Error('it was not loaded', { cause: loaded });
        await using handler = loaded;
        const first = await endingOf(handler, wakingCall('000'));
        await arena.neighbourAnswers();
        expect(first).toMatchObject(ends ?? {});
        expect(await endingOf(handler, wakingCall('000'))).toEqual(first);
        await arena.neighbourAnswers();
      },
      60_000,
    );
  });

  it('20 MB of data for a memory of 64 KiB fail each event, and cost nobody else', async () => {
    await using handler = await current().load('extism', hugeData(), { pluginBytes: bounds.pluginBytes });
    expect(await endingOf(handler, wakingCall('000'))).toMatchObject({ failure: 'trap' });
    await current().neighbourAnswers();
  }, 60_000);
}
