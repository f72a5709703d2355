import { beforeAll, describe, expect, it } from 'vitest';
import type { Artefact } from '../../src/contract/artefact.js';
import { bounds } from '../../src/contract/limits.js';
import { warmInstances } from '../../src/runtime/supervision/warm-pool.js';
import { guestsIn, hostileCrowd } from '../support/hostile.js';
import type { HostileCrowd } from '../support/hostile.js';
import { arenaLimits, endingOf, wakingCall } from './arena.js';
import type { Arena, Ending } from './arena.js';

type Expected = Partial<Record<keyof Ending, unknown>>;

/** The title says what must be so of all events; `ends` is how each of them ends. */
interface Claim {
  readonly title: string;
  readonly ends: Expected;
  readonly document?: string;
  readonly deadlineMs?: number;
  readonly fuel?: number;
  /** Enough for an instance that has a memory which another one has had, however many are made ahead. */
  readonly events?: number;
}

const manyEvents = 4 * warmInstances.cheap;

const allow: Expected = { outcome: 'allow', failure: null };
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const trap = (pattern: RegExp): Expected => ({ failure: 'trap', message: matching(pattern) });
const broken = (pattern: RegExp): Expected => ({ failure: 'protocol', message: matching(pattern) });
const tooMuchAtOnce: Expected = {
  failure: 'out-of-fuel',
  message: matching(/^one select needs more than its limit of 2500000 steps; select less at once/u),
};
const outOfFuel: Expected = {
  failure: 'out-of-fuel',
  fuel: arenaLimits.fuel,
  message: matching(/^the plug-in used all of its 50000000 steps$/u),
};
const outOfMemory: Expected = {
  failure: 'out-of-memory',
  message: matching(/^the plug-in needs more than its 134217728 bytes of memory$/u),
};
const outside = /^the plug-in broke the contract: .*(outside the bounds|Invalid typed array length)/u;
const notUtf8 = /^the plug-in broke the contract: one of its texts has an invalid encoding$/u;
const manyElements = `<domain>${'<a>1</a>'.repeat(3_000)}<name>x</name></domain>`;

/** Guests that do the same through either backend. */
const both: Record<string, Claim> = {
  'endless-loop': { title: 'an endless loop uses up its fuel', ends: outOfFuel },
  'endless-recursion': {
    title: 'endless recursion traps, without a count that would depend on the machine',
    ends: { ...trap(/call stack exhausted$/u), fuel: null },
  },
  'endless-tail-calls': { title: 'endless tail calls use up their fuel', ends: outOfFuel },
  'endless-indirect-calls': { title: 'endless calls through a table use up their fuel', ends: outOfFuel },
  'bulk-copies': { title: 'endless bulk copies use up their fuel', ends: outOfFuel },
  'memory-grown-by-nothing': { title: 'a memory grown by nothing for ever uses up its fuel', ends: outOfFuel },
  'memory-filled-with-nothing': { title: 'no byte filled, for ever, uses up its fuel', ends: outOfFuel },
  'memory-copied-by-nothing': { title: 'no byte copied, for ever, uses up its fuel', ends: outOfFuel },
  'memory-initialised-with-nothing': { title: 'no byte of data copied, for ever, uses up its fuel', ends: outOfFuel },
  'table-grown-by-nothing': { title: 'a table grown by nothing for ever uses up its fuel', ends: outOfFuel },
  'table-filled-with-nothing': { title: 'no element filled, for ever, uses up its fuel', ends: outOfFuel },
  'table-copied-by-nothing': { title: 'no element copied, for ever, uses up its fuel', ends: outOfFuel },
  'memory-growth': { title: 'a memory that grows for ever meets its limit', ends: outOfMemory },
  'memory-filled': { title: 'a memory that is filled up to its limit costs nobody else', ends: allow },
  'memory-grown-at-once': { title: 'four gigabytes at once are not given', ends: allow },
  'table-growth': { title: 'a table that grows for ever meets its limit', ends: trap(/unreachable/u) },
  'table-grown-at-once': { title: 'a table of four thousand million elements is not given', ends: allow },
  'trap-unreachable': { title: 'unreachable is a trap', ends: trap(/unreachable/u) },
  'trap-division': { title: 'a division by zero is a trap', ends: trap(/divide by zero/u) },
  'trap-division-overflow': { title: 'an overflow is a trap', ends: trap(/overflow|unrepresentable/u) },
  'trap-conversion': { title: 'a conversion of no number is a trap', ends: trap(/integer/u) },
  'trap-load': { title: 'a read beyond the memory is a trap', ends: trap(/out of bounds/u) },
  'trap-store': { title: 'a write beyond the memory is a trap', ends: trap(/out of bounds/u) },
  'trap-null-call': { title: 'a call of nothing is a trap', ends: trap(/null function|signature/u) },
  'trap-call-index': { title: 'a call beyond the table is a trap', ends: trap(/out of bounds/u) },
  'trap-call-type': { title: 'a call by another type is a trap', ends: trap(/signature mismatch/u) },
  'keeps-memory': { title: 'memory is not seen by the next event', ends: allow, events: manyEvents },
  'keeps-all-memory': { title: 'no byte of a memory is seen by the next event', ends: allow, events: manyEvents },
  'keeps-grown-memory': { title: "a grown memory is not the next event's", ends: allow, events: manyEvents },
  'keeps-global': { title: 'a global is not seen by the next event', ends: allow },
  'keeps-table': { title: 'a table is not seen by the next event', ends: allow },
  'keeps-dropped-data': { title: 'a dropped data segment is there for the next event', ends: allow },
  poisoned: { title: 'an instance that trapped is not used again', ends: trap(/unreachable/u) },
};

const component: Record<string, Claim> = {
  'reason-beyond-memory': { title: 'a reason beyond the memory breaks the contract', ends: broken(outside) },
  'reason-over-the-end': { title: 'a reason over the end of memory breaks the contract', ends: broken(outside) },
  'reason-wraps': { title: 'a reason around the end of 32 bits breaks the contract', ends: broken(outside) },
  'reason-negative-length': { title: 'a reason of negative length breaks the contract', ends: broken(outside) },
  'result-beyond-memory': { title: 'an outcome beyond the memory breaks the contract', ends: broken(outside) },
  'result-wraps': { title: 'an outcome around the end of 32 bits breaks the contract', ends: broken(outside) },
  'bad-discriminant': { title: 'an unknown outcome breaks the contract', ends: broken(/discriminant for Outcome/u) },
  'bad-discriminant-255': { title: 'outcome 255 breaks the contract', ends: broken(/discriminant for Outcome/u) },
  'bad-log-level': { title: 'an unknown log level breaks the contract', ends: broken(/discriminant .* for Level/u) },
  'log-beyond-memory': { title: 'a message beyond the memory breaks the contract', ends: broken(outside) },
  'xpath-beyond-memory': { title: 'an XPath beyond the memory breaks the contract', ends: broken(outside) },
  'answer-beyond-memory': { title: 'an answer to where no memory is breaks the contract', ends: broken(outside) },
  'invalid-utf8-reason': {
    title: 'bytes of a reason that are no UTF-8 break the contract',
    ends: broken(notUtf8),
  },
  'invalid-utf8-log': {
    title: 'bytes of a message that are no UTF-8 break the contract, and the message is not kept',
    ends: { ...broken(notUtf8), logs: [] },
  },
  'invalid-utf8-xpath': { title: 'an XPath that is no UTF-8 breaks the contract', ends: broken(notUtf8) },
  'reason-huge': {
    title: 'a reason of 100 MB is cut',
    ends: { outcome: 'deny', text: 'a'.repeat(bounds.reasonChars) },
  },
  'document-huge': {
    title: 'a replaced document of 100 MB breaks the contract',
    ends: broken(/the replaced document is too large: 100000000 bytes/u),
  },
  'many-logs': { title: 'a million messages use up their fuel, and few are kept', ends: outOfFuel },
  'huge-log': {
    title: 'a message of 50 MB is cut',
    fuel: 1_000_000_000,
    ends: { ...allow, logs: [{ level: 'info', message: 'a'.repeat(bounds.logChars) }] },
  },
  'many-selects': { title: 'a million selections use up their fuel', ends: outOfFuel },
  'xpath-explodes': {
    title: 'an XPath that explodes is paid for, and meets the bound of one select',
    ends: tooMuchAtOnce,
    document: manyElements,
  },
  'xpath-huge': { title: 'an XPath of 40 MB is refused to the guest', ends: allow, fuel: 1_000_000_000 },
  'xpath-deep': { title: 'a deeply nested XPath is refused to the guest', ends: allow },
  'many-texts': { title: 'endless copies of a small document use up their fuel', ends: outOfFuel },
  'many-settings': { title: 'endless copies of the settings use up their fuel', ends: outOfFuel },
  'escapes-in-log': {
    title: 'terminal escapes in a message stay data',
    ends: { ...allow, logs: [{ level: 'info', message: '\x1b[2J\x1b]0;owned\x07\u202e\r\nroot# ' }] },
  },
};

const kernelMemory = /it uses more than 67108864 bytes of Extism's memory/u;

const extism: Record<string, Claim> = {
  'load-wild': { title: 'a read of a block that is none breaks the contract', ends: broken(/./u) },
  'store-wild': { title: 'a write over the end of a block breaks the contract', ends: broken(/outside the bounds/u) },
  'input-beyond': {
    title: 'a read over the end of the input breaks the contract',
    ends: broken(/outside the bounds/u),
  },
  'length-wild': { title: 'a block that is none has no length', ends: allow },
  'free-foreign': { title: 'a freed answer is no answer', ends: broken(/its answer is empty/u) },
  'free-wild': { title: 'freeing what is not there harms only its own answer', ends: broken(/cannot assign/u) },
  'alloc-huge': { title: 'a block of 2^60 bytes is not given', ends: broken(kernelMemory) },
  'alloc-negative': { title: 'a block of negative length is not given', ends: broken(kernelMemory) },
  'alloc-flood': { title: 'blocks of one byte without end use up their fuel', ends: outOfFuel },
  'alloc-and-free-flood': {
    title: "blocks of a megabyte that are freed again meet the limit of Extism's memory all the same",
    ends: broken(kernelMemory),
  },
  'output-beyond-block': { title: 'an answer longer than its block breaks the contract', ends: broken(/longer than/u) },
  'output-negative-length': { title: 'an answer of negative length breaks the contract', ends: broken(/./u) },
  'output-wild': { title: 'an answer in no block breaks the contract', ends: broken(/cannot assign/u) },
  'output-is-input': { title: 'the input is no answer', ends: broken(/is not an outcome/u) },
  'error-wild': { title: 'an error in no block breaks the contract', ends: broken(/cannot assign/u) },
  'error-and-success': {
    title: 'an error beside a good answer is a failure, its escapes made visible',
    ends: { failure: 'trap', message: 'the plug-in threw: \\x1b[2Jboth' },
  },
  'error-freed': { title: 'a freed error is no answer', ends: broken(/./u) },
  'status-without-error': {
    title: 'a status other than 0 beside a good answer is a failure',
    ends: { failure: 'trap', message: 'the plug-in returned status 7 instead of 0, without an error message' },
  },
  'config-wild': { title: 'a setting whose name is nowhere is not there', ends: allow },
  'config-huge-key': { title: 'a setting with a name of 30 MB is not there', ends: allow },
  'config-flood': {
    title: "copies of a long setting without end meet the limit of Extism's memory",
    ends: broken(kernelMemory),
  },
  'var-flood': { title: 'variables without end use up their fuel', ends: outOfFuel },
  'var-wild': { title: 'a variable is not seen by the next event', ends: allow },
  'many-logs': { title: 'a million messages use up their fuel, and few are kept', ends: outOfFuel },
  'huge-log': {
    title: 'a message of 50 MB is cut',
    fuel: 1_000_000_000,
    ends: { ...allow, logs: [{ level: 'warn', message: '\0'.repeat(bounds.logChars) }] },
  },
  'log-wild': { title: 'a message in no block is an error in the log', ends: allow },
  'escapes-in-log': {
    title: 'terminal escapes in a message stay data',
    ends: { ...allow, logs: [{ level: 'warn', message: '\x1b[2J\x1b]0;owned\x07\u202e\r\nroot# ' }] },
  },
  'invalid-utf8-log': {
    title: 'bytes of a message that are no UTF-8 become replacement characters',
    ends: { ...allow, logs: [{ level: 'warn', message: '\ufffd'.repeat(7) + '!' }] },
  },
};

/** Nobody's fuel ends it in this century. */
const unending = {
  title: 'with fuel for years is ended by its deadline',
  ends: {
    outcome: null,
    failure: 'deadline',
    fuel: null,
    message: matching(/: no answer within 300 ms, so its process was killed; raise its 'deadline'/u),
  },
  deadlineMs: 300,
  fuel: Number.MAX_SAFE_INTEGER,
} as const;

const claims: Record<Artefact['backend'], Record<string, Claim>> = {
  component: { ...both, ...component },
  extism: { ...both, ...extism },
};

/** The same guests under limits of their own. */
const otherwise: readonly (Claim & { readonly backend: Artefact['backend']; readonly guest: string })[] = [
  ...(['component', 'extism'] as const).map((backend) => ({ ...unending, backend, guest: 'endless-loop' })),
  {
    backend: 'component',
    guest: 'xpath-explodes',
    title: 'with fuel for years meets the bound of one select all the same',
    ends: tooMuchAtOnce,
    document: manyElements,
    fuel: Number.MAX_SAFE_INTEGER,
  },
  {
    backend: 'component',
    guest: 'many-texts',
    title: 'with fuel for all of them, copies of a large document meet the limit of memory',
    ends: outOfMemory,
    document: `<domain>${'<!-- -->'.repeat(200_000)}</domain>`,
    fuel: 1_000_000_000,
  },
  {
    backend: 'extism',
    guest: 'var-flood',
    title: "with fuel for all of them, variables meet the limit of Extism's memory",
    ends: broken(kernelMemory),
    fuel: 1_000_000_000,
  },
];

/** Guests of WebAssembly text, many in one plugin. */
export function hostileGuests(current: () => Arena): void {
  const crowds = new Map<Artefact['backend'], HostileCrowd>();
  const crowdOf = (backend: Artefact['backend']): HostileCrowd => {
    const crowd = crowds.get(backend);
    if (crowd === undefined) throw new Error(`the guests of ${backend} are not admitted`);
    return crowd;
  };

  describe.each(['component', 'extism'] as const)('a hostile guest of the %s backend:', (backend) => {
    beforeAll(async () => {
      const crowd = await hostileCrowd(backend);
      crowds.set(backend, crowd);
      // Admits it once for all.
      await using handler = await current().load(backend, crowd.bytes);
      expect(handler.digest).toMatch(/^[0-9a-f]{64}$/u);
    }, 120_000);

    it('has a claim made of it', () => {
      expect(Object.keys(claims[backend]).sort()).toEqual([...guestsIn('both'), ...guestsIn(backend)].sort());
    });

    it.each(Object.entries(claims[backend]).map(([guest, claim]) => ({ guest, ...claim })))(
      '$guest: $title',
      async ({ guest, ends, document, events = 2, deadlineMs = arenaLimits.deadlineMs, fuel = arenaLimits.fuel }) => {
        const limits = { ...arenaLimits, deadlineMs, fuel };
        const settings = { large: 'x'.repeat(10_000) };
        const arena = current();
        const crowd = crowdOf(backend);
        await using handler = await arena.load(backend, crowd.bytes, { limits, settings });
        const call = wakingCall(crowd.idOf(guest), document);
        const first = await endingOf(handler, call, deadlineMs);
        await arena.neighbourAnswers();
        expect(first).toMatchObject(ends);
        expect(first.logs.length).toBeLessThanOrEqual(bounds.logLines + 1);
        for (let event = 1; event < events; event += 1) {
          const other = await endingOf(handler, call, deadlineMs);
          await arena.neighbourAnswers();
          expect(other).toEqual(first);
        }
      },
      60_000,
    );
  });

  it.each(otherwise)(
    '$guest of the $backend backend: $title',
    async ({ backend, guest, ends, document, deadlineMs = arenaLimits.deadlineMs, fuel = arenaLimits.fuel }) => {
      const arena = current();
      const crowd = crowdOf(backend);
      await using handler = await arena.load(backend, crowd.bytes, { limits: { ...arenaLimits, deadlineMs, fuel } });
      expect(await endingOf(handler, wakingCall(crowd.idOf(guest), document), deadlineMs)).toMatchObject(ends);
      await arena.neighbourAnswers();
    },
    60_000,
  );
}
