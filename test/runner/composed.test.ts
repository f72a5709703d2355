import { describe, expect, it } from 'vitest';
import { admitBothWays, bothLimits, endingsOf } from '../support/both-ways.js';
import type { Ending } from '../support/both-ways.js';
import { asksAtStart, bornNames, callsAtStart, callsWhileAsked, composed } from '../support/composed.js';
import { nested, ownResource, reenters, three } from '../support/composed.js';
import type { ComposedSource } from '../support/composed.js';
import { hookCall } from '../support/plugins.js';

async function endings(source: ComposedSource, fuel = bothLimits.fuel): Promise<[planned: Ending, glued: Ending]> {
  const load = await admitBothWays(await composed(source));
  return endingsOf(await load({ limits: { fuel } }), hookCall('<domain/>'));
}

/** A component that does the one thing that its title says, and how it ends. */
interface Guest extends ComposedSource {
  readonly title: string;
  readonly ends: Partial<Ending>;
}

type Parts = Pick<ComposedSource, 'parts' | 'calls'>;

/** Decides by what `handle` gives. */
const decides = (title: string, parts: Parts, handle: string, ends: Partial<Ending>): Guest => ({
  ...{ ...parts, title, ends, handle },
});
/** Allows, when it gets so far. */
const does = (title: string, parts: Parts, handle: string, ends: Partial<Ending>): Guest =>
  decides(title, parts, `${handle} (i32.const 64)`, ends);

const trap = (why: string): Partial<Ending> => ({ failure: 'trap', message: `the plug-in trapped: ${why}` });
const says = (number: number): Partial<Ending> => ({ said: `deny ${String(number).padStart(10, '0')}` });
const allow: Partial<Ending> = { said: 'allow' };
const cannotEnter = trap('wasm trap: cannot enter component instance');
const unknownHandle = trap('unknown handle');
const unaligned = trap('wasm trap: unaligned pointer');
const textOutside = trap('wasm trap: string content out-of-bounds');
const stillBorrowed = trap('borrow handles still remain at the end of the call');
const noText: Partial<Ending> = {
  failure: 'protocol',
  message: 'the plug-in broke the contract: one of its texts has an invalid encoding',
};

/** A call with numbers. */
const call = (name: string, ...numbers: number[]): string =>
  `(call $${name} ${numbers.map((number) => `(i32.const ${number})`).join(' ')})`;
const say = (value: string): string => `(call $say ${value})`;
const drop = (value: string): string => `(drop ${value})`;
/** Makes a resource for 7, and what is done with its handle. */
const made = (rest: string): string => `(local.set $i ${call('make', 7)}) ${rest.replaceAll('it', '(local.get $i)')}`;

/** Denies with the text that was put to 16. */
const tell =
  '(i32.store8 (i32.const 0) (i32.const 1)) (i64.store (i32.const 4) (i64.load (i32.const 16))) (i32.const 0)';
/** Two items at 304, whose numbers cannot be told from others unless each is read as what it is. */
const items = `(i32.store8 (i32.const 305) (i32.const -5)) (i32.store (i32.const 308) (i32.const 305))
  (i64.store (i32.const 320) (i64.const -1)) (f32.store (i32.const 328) (f32.const -1.5))
  (f64.store (i32.const 336) (f64.const inf))`;
const own = ownResource(true);

describe('a component made of several', () => {
  it.each([
    decides('gives text and is given it', nested, call('echo', 200, 9, 16) + tell, { said: 'deny hello \u00e9!' }),
    decides('gives no text', nested, call('echo', 200, 0, 16) + tell, { said: 'deny' }),
    does('gives text from outside', nested, call('echo', -1, 1, 16), textOutside),
    does('gives text up to outside', nested, call('echo', 200, -1, 16), textOutside),
    does('wants text where it cannot lie', nested, call('echo', 200, 2, 17), unaligned),
    does('wants text outside', nested, call('echo', 200, 2, -8), trap('wasm trap: out of bounds memory access')),
    decides('gives a list of numbers of all kinds', nested, items + say(call('count', 304, 2)), says(300)),
    does('gives a list from where none can lie', nested, drop(call('count', 305, 1)), unaligned),
    does(
      ...(['gives a list whose size overflows', nested, drop(call('count', 304, 0x6666667))] as const),
      trap('wasm trap: list content out-of-bounds'),
    ),
    decides(
      'lends and gives a resource',
      nested,
      made(`${drop('(call $look it)')} (call $say (call $take it))`),
      says(7),
    ),
    does('gives a resource twice', nested, made(drop('(call $take it)').repeat(2)), unknownHandle),
    does('lends what it gave away', nested, made(drop('(call $take it)') + drop('(call $look it)')), unknownHandle),
    does('lends what it dropped', nested, made(`(call $drop it) ${drop('(call $look it)')}`), unknownHandle),
    does('drops what it gave away', nested, made(`${drop('(call $take it)')} (call $drop it)`), unknownHandle),
    does('forges a handle', nested, drop(call('make', 7)) + drop(call('look', 7)), unknownHandle),
    does('forges the handle 0', nested, drop(call('look', 0)), unknownHandle),
    does(
      ...(['lends and gives the same in one call', nested, made(drop('(call $two it it)'))] as const),
      trap('cannot remove owned resource while borrowed'),
    ),
    decides('lends one and gives another', nested, say(`(call $two ${call('make', 7)} ${call('make', 9)})`), says(79)),
    does('keeps what it was lent', three, drop(`(call $leak ${call('make', 7)})`), stillBorrowed),
    does('gives away what it was lent', three, drop(`(call $steal ${call('make', 7)})`), stillBorrowed),
    decides('drops what it was lent', three, say(`(call $see ${call('make', 7)})`), says(1)),
    decides(
      ...(['uses handles again, the last one first', own] as const),
      `${drop(call('new', 5)) + drop(call('new', 6)) + call('drop', 1) + call('drop', 2) + drop(call('new', 8))}
        ${say(call('rep', 2))}`,
      says(8),
    ),
    decides(
      ...(['has a resource without a destructor', ownResource(false)] as const),
      `${drop(call('new', 7))} (local.set $i ${call('rep', 1)}) ${call('drop', 1)} (call $say (local.get $i))`,
      says(7),
    ),
    does('looks at a resource that never was', own, drop(call('rep', 9)), unknownHandle),
    { title: 'asks the host at its start', ...asksAtStart, ends: { said: 'deny {}' } },
    ...(['constructor', 'toString', 'hasOwnProperty'] as const).map((name) => ({
      ...{ title: `has the name '${name}' for everything`, ends: says(7) },
      ...bornNames(name),
    })),
  ])('ends the same way by its plan and by jco when it $title', async ({ ends, ...source }) => {
    const [planned, glued] = await endings(source);
    expect(planned).toMatchObject(ends);
    expect(planned).toEqual(glued);
  });

  // A component goes one of the two ways, and always the same. Its plan follows the component model where jco does not.
  it.each([
    { title: 'is entered again by itself', ...reenters('itself'), ends: cannotEnter, byJco: { failure: 'protocol' } },
    {
      ...{ title: 'is entered again through another', ...reenters('through another') },
      ...{ ends: cannotEnter, byJco: { failure: 'protocol' } },
    },
    { title: 'calls another at its start', ...callsAtStart, ends: says(1), byJco: { failure: 'protocol' } },
    {
      ...{ title: 'calls another while it is asked for room', ...callsWhileAsked('another') },
      ...{ ends: trap('wasm trap: cannot leave component instance'), byJco: allow },
    },
    {
      ...{ title: 'makes a resource while it is asked for room', ...callsWhileAsked('a resource') },
      ...{ ends: trap('cannot leave component instance'), byJco: allow },
    },
    {
      ...does(
        ...(['gives another what is no text', nested] as const),
        `(i32.store8 (i32.const 200) (i32.const 255)) ${call('echo', 200, 9, 16)}`,
        noText,
      ),
      byJco: allow,
    },
    { ...decides('has a resource for 0', own, say(`(call $rep ${call('new', 0)})`), says(0)), byJco: unknownHandle },
    {
      ...decides('has a resource for 2^30', own, say(`(call $rep ${call('new', 2 ** 30 + 7)})`), says(2 ** 30 + 7)),
      byJco: says(7),
    },
    {
      ...decides('has a resource for -1', own, say(`(call $rep ${call('new', -1)})`), says(2 ** 32 - 1)),
      byJco: says(2 ** 32 - 1 - 2 ** 30),
    },
    {
      ...does('forges a handle that wraps', own, drop(call('new', 5)) + drop(call('rep', 2 ** 31 + 1)), unknownHandle),
      byJco: allow,
    },
    { ...does('drops a handle that never was', own, call('drop', -1), unknownHandle), byJco: allow },
    {
      ...decides(
        ...(['is lent again what it once owned', three] as const),
        `${drop(`(call $keep ${call('make', 7)})`)} ${say(`(call $see ${call('make', 7)})`)}`,
        says(1),
      ),
      byJco: says(7),
    },
  ])('does by its plan what the component model says when it $title', async ({ ends, byJco, ...source }) => {
    const [planned, glued] = await endings(source);
    expect(planned).toMatchObject(ends);
    expect(glued).toMatchObject(byJco);
  });

  it.each([
    ['resources', own, drop(call('new', 1))],
    ['calls', nested, drop(call('make', 1))],
    ['copies of text', nested, call('echo', 65_536, 60_000, 16)],
    ['lists', nested, drop(call('count', 0, 1_500))],
  ])('pays for %s without end, by its plan and by jco', async (_, parts, handle) => {
    const source = { ...parts, handle: `(loop $more ${handle} (br $more)) unreachable` };
    const fuel = 5_000_000;
    const began = performance.now();
    const [planned, glued] = await endings(source, fuel);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(planned).toMatchObject({ failure: 'out-of-fuel', fuel });
    expect(planned).toEqual(glued);
  });
});
