import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bounds } from '../../src/contract/limits.js';
import { errorOf } from '../support/sandbox.js';
import { backendOf, guestsOf, hostilePlugin, lonelyPlugin } from '../support/hostile-languages.js';
import type { HostileLanguage } from '../support/hostile-languages.js';
import { arenaLimits, endingOf, wakingCall } from './arena.js';
import type { Arena, Contender, Ending } from './arena.js';

type Ends = Partial<Record<keyof Ending, unknown>>;

/** What is so, and how each of two runs ends. */
type Claim = readonly [title: string, ends: Ends];

const limits = arenaLimits;
/** Lists inside lists, for those who read their settings without care. */
const settings = { nested: '['.repeat(100_000) };

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const allow: Ends = { outcome: 'allow', failure: null };
const denied = (text: unknown): Ends => ({ outcome: 'deny', failure: null, text });
const broken = (what: string | RegExp): Ends => ({
  failure: 'protocol',
  message: typeof what === 'string' ? `the plug-in broke the contract: ${what}` : matching(what),
});
const trap = (what: string): Ends => ({ failure: 'trap', message: `the plug-in trapped: ${what}` });
const outOfFuel: Ends = {
  failure: 'out-of-fuel',
  fuel: limits.fuel,
  message: `the plug-in used all of its ${limits.fuel} steps`,
};
const outOfMemory: Ends = {
  failure: 'out-of-memory',
  message: `the plug-in needs more than its ${limits.memoryBytes} bytes of memory`,
};
/** V8's stack ends before that of an engine inside a plugin: the plugin cannot catch it, and no steps are told. */
const outOfStack: Ends = { ...trap('call stack exhausted'), fuel: null };
const escapes = [{ level: 'warn', message: '\x1b[2J\x1b]0;owned\x07\u202e\r\nroot# ' }];
const fullLog = expect.objectContaining({ length: bounds.logLines + 1 }) as unknown;
const thrown = trap('wasm trap: wasm `unreachable` instruction executed');
/** A component can only trap; what its handler threw is in the log. */
const told = (what: unknown): Ends => ({
  ...thrown,
  logs: [{ level: 'error', message: typeof what === 'string' ? `the handler threw ${what}` : what }],
});

const typescript: Record<string, Claim> = {
  'endless-loop': ['an endless loop uses up its fuel', outOfFuel],
  'endless-recursion': ['endless recursion traps, without a count that would depend on the machine', outOfStack],
  'endless-recursion-caught': ['endless recursion is not to be caught', outOfStack],
  'endless-getters': ["endless recursion through the engine's own functions traps", outOfStack],
  'endless-jobs': ['jobs that are left behind are not run', allow],
  'array-bomb': ['arrays without end meet the limit of memory', outOfMemory],
  'array-bomb-caught': ['a guest that lets its arrays go again may answer', denied('still here')],
  'string-bomb': ['a string that doubles for ever meets the limit of memory', outOfMemory],
  'number-bomb': ['one power of millions of digits uses up its fuel', outOfFuel],
  'regular-expression': ['a regular expression that tries everything uses up its fuel', outOfFuel],
  'throws-null': ['null as an exception is a trap, and logged', told('null')],
  'throws-unprintable': [
    'an exception that throws when it is printed is a trap, and that is logged',
    told('something that cannot be printed'),
  ],
  'throws-huge': [
    'an exception with a message of a megabyte is a trap, and its beginning is logged',
    told(matching(/^the handler threw Error: x{793} at guest \(\/[\w-]+\.js:\d+:\d+\)$/u)),
  ],
  'throws-an-outcome': ['an exception in the shape of an answer is a trap, and logged', told('[object Object]')],
  'keeps-module-state': ['a variable of the module is not seen by the next event', allow],
  'keeps-global': ['a property of globalThis is not seen by the next event', allow],
  'keeps-prototype': ['changed prototypes are not seen by the next event', allow],
  'clock-and-random': [
    'the clock stands still, random numbers follow from the event, a stack names no folder of the build',
    denied(
      matching(
        /^\{"times":\[0,"1970-01-01T00:00:00.000Z",0,(\d+),0,\1\],"random":\[0\.\d+,0\.\d+\],"stack":"( *at [\w<>]+ \(\/(node_modules\/hookvisor\/(guest\/)?)?[\w-]+\.js:\d+:\d+\)\\n)+"\}$/u,
      ),
    ),
  ],
  'looks-for-the-host': ['neither Function nor eval leads to a host', allow],
  'answers-unknown-tag': ['an unknown outcome is a trap', thrown],
  'answers-number': ['a reason that is a number is a trap', thrown],
  'answers-nothing': ['undefined for an answer is a trap', thrown],
  'answers-a-trap': ['an answer that throws when it is read is a trap', thrown],
  'answers-endlessly': ['an answer that takes for ever to be read uses up its fuel', outOfFuel],
  'answers-two-things': ['an answer that changes while it is read is read once', denied('once')],
  'answers-a-promise': ['the promise of an asynchronous function is no answer, so a trap', thrown],
  'answers-never': ['a promise that never settles is not waited for', thrown],
  'reason-huge': [
    'a reason of 20 MB is cut',
    denied('reason '.repeat(bounds.reasonChars).slice(0, bounds.reasonChars)),
  ],
  'reason-half-characters': ['a reason of half characters is a trap', thrown],
  'many-logs': ['a million messages use up their fuel, and few are kept', { ...outOfFuel, logs: fullLog }],
  'escapes-in-log': ['terminal escapes in a message stay data', { ...allow, logs: escapes }],
  'settings-bomb': ['settings of 100,000 nested lists overflow only the stack of who reads them', outOfStack],
};

const assemblyscript: Record<string, Claim> = {
  'endless-loop': ['an endless loop uses up its fuel', outOfFuel],
  'endless-recursion': ['endless recursion traps, without a count that would depend on the machine', outOfStack],
  'memory-growth': ['a memory that grows for ever meets its limit', outOfMemory],
  'memory-growth-survived': ['a guest is given its limit of memory to the page, and no more', denied('2048 pages')],
  'heap-bomb': ["the language's own allocator meets the limit of memory", outOfMemory],
  'load-beyond-memory': ['a read beyond the memory is a trap', trap('memory access out of bounds')],
  'load-beyond-array': ['a read beyond an array is a trap', trap('unreachable')],
  'load-unchecked': ['an unchecked read beyond an array sees only its own memory', allow],
  'memory-wiped': ['a guest that overwrites all of its memory harms itself', broken('its answer is not UTF-8')],
  'keeps-static': ['static variables are not seen by the next event', allow],
  'keeps-heap': ['the heap is not seen by the next event', allow],
  'keeps-variable': ["Extism's variables are not seen by the next event", allow],
  asserts: ['abort is a trap', trap('unreachable')],
  throws: ['an exception is a trap', trap('unreachable')],
  division: ['a division by zero is a trap', trap('divide by zero')],
  'calls-wild': ['a call beyond the table is a trap', trap('table index is out of bounds')],
  'output-invalid-utf8': ['an answer that is no UTF-8 breaks the contract', broken('its answer is not UTF-8')],
  'output-utf16': ['an answer in UTF-16 breaks the contract', broken('its answer is not JSON')],
  'output-not-json': ['an answer that is not JSON breaks the contract', broken('its answer is not JSON')],
  'output-deep': ['200,000 nested lists break the contract', broken(/its answer is not/u)],
  'output-huge': ['an answer of 48 MB breaks the contract', broken('its answer has 48000000 bytes')],
  'output-wild': ['an answer at a wild address breaks the contract', broken(/cannot assign to this block/u)],
  'load-wild': ["a read at a wild address of the host's memory breaks the contract", broken(/BigInt/u)],
  'store-wild': ["a write at a wild address of the host's memory writes nothing", allow],
  'free-wild': ['freeing what was never given frees nothing', allow],
  'error-without-status': [
    'an error beside a good answer and status is a failure',
    { failure: 'trap', message: 'the plug-in threw: it went wrong, or did it?' },
  ],
  'status-without-error': [
    'a status other than 0 beside a good answer is a failure',
    { failure: 'trap', message: 'the plug-in returned status -1 instead of 0, without an error message' },
  ],
  'config-flood': [
    "copies of a setting without end meet the limit of Extism's memory",
    broken("it uses more than 67108864 bytes of Extism's memory"),
  ],
  'config-many-keys': ['a million settings that are not there use up their fuel', outOfFuel],
  'many-logs': ['a million messages use up their fuel, and few are kept', { ...outOfFuel, logs: fullLog }],
  'escapes-in-log': ['terminal escapes in a message stay data', { ...allow, logs: escapes }],
  'escapes-in-reason': [
    'terminal escapes in a reason stay data',
    denied('\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\r\nroot# '),
  ],
};

const claims: Record<HostileLanguage, Record<string, Claim>> = { typescript, assemblyscript };

/** Guests that were written in a language, all of one language in one plugin. */
export function hostileLanguages(current: () => Arena): void {
  describe.each(['typescript', 'assemblyscript'] as const)('a hostile guest in %s:', (language) => {
    let handler: Contender;
    beforeAll(async () => {
      handler = await current().load(backendOf(language), await hostilePlugin(language), { limits, settings });
    }, 120_000);
    afterAll(() => handler[Symbol.asyncDispose]());

    it('has a claim made of it', async () => {
      expect(Object.keys(claims[language]).sort()).toEqual(await guestsOf(language));
    });

    it.each(Object.entries(claims[language]).map(([guest, [title, ends]]) => ({ guest, title, ends })))(
      '$guest: $title',
      async ({ guest, ends }) => {
        const call = guestCall(guest);
        const first = await endingOf(handler, call, limits.deadlineMs);
        await current().neighbourAnswers();
        expect(first).toMatchObject(ends);
        expect(first.logs.length).toBeLessThanOrEqual(bounds.logLines + 1);
        const second = await endingOf(handler, call, limits.deadlineMs);
        await current().neighbourAnswers();
        expect(second).toEqual(first);
      },
      60_000,
    );

    it('after all of them, an event that wakes no guest is allowed by the same handler', async () => {
      expect(await endingOf(handler, guestCall('nobody'), limits.deadlineMs)).toMatchObject({ ...allow, logs: [] });
    });
  });

  it("AssemblyScript's own clock and random numbers are imports that are not admitted", async () => {
    const error = await errorOf(current().load('extism', await lonelyPlugin('assemblyscript', 'clock-and-random')));
    expect(error.code).toBe('plugin-refused');
    expect(error.message).toMatch(/^Cannot admit the plug-in: it imports 'env' '(seed|Date\.now)'; only Extism's own/u);
    await current().neighbourAnswers();
  }, 60_000);
}

/** An event whose name wakes a guest. */
function guestCall(guest: string): ReturnType<typeof wakingCall> {
  const { event, document } = wakingCall('000');
  return { event: { ...event, name: guest }, document };
}
