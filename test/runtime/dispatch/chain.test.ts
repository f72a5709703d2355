import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createScriptBackend } from '../../../src/runtime/scripts/script.js';
import { runChain, type ChainResult } from '../../../src/runtime/dispatch/chain.js';
import type { LoadedHandler } from '../../../src/runtime/dispatch/loaded-handler.js';
import { verdictSchema } from '../../../src/contract/verdict.js';
import type { HookEvent } from '../../../src/contract/event.js';
import { HandlerFailure, type FailureCode, type Outcome } from '../../../src/contract/outcome.js';
import { configOf, eventOf, handlerOf } from '../../support/handlers.js';

const scripts = createScriptBackend();

const original = Buffer.from('<domain><name>tiny</name></domain>');
const other = Buffer.from('<domain><name>tiny</name><edited/></domain>');

const allow = (): Outcome => ({ outcome: 'allow' });
const deny = (reason: string) => (): Outcome => ({ outcome: 'deny', reason });
const replace = (document: Buffer) => (): Outcome => ({ outcome: 'replace', document });
const fails = (failure: FailureCode, message: string) => (): Outcome => {
  throw new HandlerFailure(failure, message, { fuel: 3, logs: [{ level: 'warn', message: 'before the end' }] });
};
const replaces = { grants: new Set(['replace']) };

function ask(handlers: readonly LoadedHandler[], event: Partial<HookEvent> = {}): Promise<ChainResult> {
  return runChain({
    call: { event: eventOf(event), document: original },
    handlers,
    checkReplacement: (_, replacement) => (replacement.includes('tiny') ? null : 'its name is another one'),
  });
}

function ran({ verdict }: ChainResult): string[] {
  return verdict.handlers.map(({ handler, outcome, failure }) => `${handler} ${outcome ?? failure ?? ''}`);
}

const reconnect = { event: 'reconnect' };
const migrate = { event: 'migrate' };

describe('a chain', () => {
  it('without handlers allows', async () => {
    expect(await ask([])).toEqual({
      verdict: {
        verdict: 'allow',
        reason: null,
        effect: 'aborts',
        answered: 'allow',
        event: {
          id: '6f1c2a34-0000-4000-8000-000000000001',
          kind: 'domain',
          name: 'tiny',
          event: 'prepare',
          qualifier: 'begin',
          extra: null,
          driver: 'qemu',
        },
        handlers: [],
      },
      document: null,
    });
  });

  it('gives a verdict with the fields of the contract, in their order', async () => {
    const { verdict } = await ask([
      handlerOf({ name: 'naming', backend: 'component' }, deny('name must match ^[a-z]')),
    ]);
    const text = JSON.stringify(verdict).replace(/"durationUs":\d+/, '"durationUs":85');
    expect(text).toBe(
      '{"verdict":"deny","reason":"name must match ^[a-z]","effect":"aborts","answered":"deny",' +
        '"event":{"id":"6f1c2a34-0000-4000-8000-000000000001","kind":"domain","name":"tiny","event":"prepare",' +
        '"qualifier":"begin","extra":null,"driver":"qemu"},' +
        '"handlers":[{"handler":"naming","backend":"component","mode":"enforce","outcome":"deny",' +
        '"reason":"name must match ^[a-z]","failure":null,"fuel":7,"durationUs":85,"logs":[]}]}',
    );
    expect(verdictSchema.parse(JSON.parse(text))).toEqual(JSON.parse(text));
  });

  it('is ended by a denial that libvirt will be told', async () => {
    const result = await ask([
      handlerOf({ name: 'a' }, allow),
      handlerOf({ name: 'b' }, deny('no')),
      handlerOf({ name: 'c' }, deny('never asked')),
    ]);
    expect(ran(result)).toEqual(['a allow', 'b deny']);
    expect(result.verdict).toMatchObject({ verdict: 'deny', reason: 'no', answered: 'deny' });
  });

  it('asks monitors after a denial, in the order of the chain, and heeds none', async () => {
    const result = await ask([
      handlerOf({ name: 'early', mode: 'monitor' }, deny('not heeded')),
      handlerOf({ name: 'a' }, deny('no')),
      handlerOf({ name: 'b' }, allow),
      handlerOf({ name: 'late', mode: 'monitor' }, fails('trap', 'boom')),
    ]);
    expect(ran(result)).toEqual(['early deny', 'a deny', 'late trap']);
    expect(result.verdict.reason).toBe('no');
  });

  it('of monitors only allows', async () => {
    const fallback = handlerOf({ name: 'f' }, deny('never asked'));
    const result = await ask(
      [
        handlerOf({ name: 'a', mode: 'monitor' }, deny('x')),
        handlerOf(
          { name: 'b', mode: 'monitor', failurePolicy: { policy: 'fallback', handler: 'f' } },
          fails('trap', 'x'),
          fallback,
        ),
        handlerOf({ name: 'c', mode: 'monitor', ...replaces }, replace(other)),
      ],
      migrate,
    );
    expect(result.verdict).toMatchObject({ verdict: 'allow', reason: null, answered: 'allow' });
    expect(result.document).toBeNull();
    expect(ran(result)).toEqual(['a deny', 'b trap', 'c replace']);
  });

  it('asks monitors last, with the document as it was at their place', async () => {
    const seen: string[] = [];
    const see =
      (name: string) =>
      ({ document }: { document: Buffer | null }): Outcome => {
        seen.push(`${name} ${document?.includes('edited') === true ? 'edited' : 'original'}`);
        return name === 'edit' ? { outcome: 'replace', document: other } : { outcome: 'allow' };
      };
    await ask(
      [
        handlerOf({ name: 'early', mode: 'monitor' }, see('early')),
        handlerOf({ name: 'edit', ...replaces }, see('edit')),
        handlerOf({ name: 'late', mode: 'monitor' }, see('late')),
        handlerOf({ name: 'last' }, see('last')),
      ],
      migrate,
    );
    expect(seen).toEqual(['edit original', 'last edited', 'early original', 'late edited']);
  });

  it('cleans and bounds what a handler says', async () => {
    const { verdict } = await ask([handlerOf({}, deny(`a\nb\x1b[2J${'x'.repeat(5_000)}`))]);
    expect(verdict.reason).toMatch(/^a b\\x1b\[2Jx+…$/);
    expect((await ask([handlerOf({}, deny(''))])).verdict.reason).toBe('no reason given');
  });
});

describe('blast radius', () => {
  it.each([
    ['qemu', 'reconnect', 'begin', 'kills-guest'],
    ['qemu', 'started', 'begin', 'kills-guest'],
    ['qemu', 'stopped', 'end', 'ignored'],
    ['network', 'started', 'begin', 'leaks'],
    ['network', 'updated', 'begin', 'already-applied'],
    ['qemu', 'invented', 'end', 'unknown'],
  ])('a denial of %s %s %s (%s) is recorded, and the chain goes on', async (driver, event, qualifier, effect) => {
    const result = await ask([handlerOf({ name: 'tenant' }, deny('spite')), handlerOf({ name: 'cleanup' }, allow)], {
      driver,
      event,
      qualifier,
    });
    expect(result.verdict).toMatchObject({ verdict: 'deny', reason: 'spite', effect, answered: 'allow' });
    expect(ran(result)).toEqual(['tenant deny', 'cleanup allow']);
  });

  it('a denial of an operation that is not known, at its begin, is answered', async () => {
    const { verdict } = await ask([handlerOf({}, deny('no'))], { event: 'invented' });
    expect(verdict).toMatchObject({ effect: 'unknown', answered: 'deny' });
  });

  it('the grant that names the operation has the denial answered', async () => {
    const { verdict } = await ask([handlerOf({ grants: new Set(['deny-reconnect']) }, deny('no'))], reconnect);
    expect(verdict).toMatchObject({ verdict: 'deny', effect: 'kills-guest', answered: 'deny' });
  });

  it('a later denial that is answered gives the reason; of those that are not, the first', async () => {
    const first = handlerOf({ name: 'a' }, deny('first'));
    const second = handlerOf({ name: 'b' }, deny('second'));
    const granted = handlerOf({ name: 'c', grants: new Set(['deny-reconnect']) }, deny('granted'));
    expect((await ask([first, second], reconnect)).verdict).toMatchObject({ reason: 'first', answered: 'allow' });
    expect((await ask([first, second, granted], reconnect)).verdict).toMatchObject({
      reason: 'granted',
      answered: 'deny',
    });
  });

  it('a failure that denies is held to the same', async () => {
    const { verdict } = await ask([handlerOf({}, fails('trap', 'boom'))], reconnect);
    expect(verdict).toMatchObject({ verdict: 'deny', reason: 'cannot decide: boom', answered: 'allow' });
  });

  it('a fallback denies under its own grants', async () => {
    const failurePolicy = { policy: 'fallback', handler: 'f' } as const;
    const granted = { grants: new Set(['deny-reconnect']) };
    const ungranted = handlerOf(
      { name: 'a', failurePolicy },
      fails('trap', 'x'),
      handlerOf({ name: 'f', ...granted }, deny('no')),
    );
    expect((await ask([ungranted], reconnect)).verdict.answered).toBe('deny');
    const grantee = handlerOf(
      { name: 'a', failurePolicy, ...granted },
      fails('trap', 'x'),
      handlerOf({ name: 'f' }, deny('no')),
    );
    expect((await ask([grantee], reconnect)).verdict.answered).toBe('allow');
  });
});

describe('a replaced document', () => {
  it('is what the next handler sees and what libvirt gets', async () => {
    const seen: (Buffer | null)[] = [];
    const result = await ask(
      [
        handlerOf({ name: 'a', ...replaces }, replace(other)),
        handlerOf({ name: 'b' }, ({ document }) => {
          seen.push(document);
          return { outcome: 'allow' };
        }),
      ],
      migrate,
    );
    expect(seen).toEqual([other]);
    expect(result.document).toEqual(other);
    expect(result.verdict).toMatchObject({ verdict: 'replace', reason: null, answered: 'replace' });
  });

  it('is not given when a later handler denies', async () => {
    const result = await ask(
      [handlerOf({ name: 'a', ...replaces }, replace(other)), handlerOf({ name: 'b' }, deny('no'))],
      migrate,
    );
    expect(result.document).toBeNull();
    expect(result.verdict).toMatchObject({ verdict: 'deny', answered: 'deny' });
  });

  const granted = replaces.grants;
  it.each([
    {
      what: 'without the grant',
      grants: new Set<string>(),
      event: 'migrate',
      document: other,
      failure: 'not-granted',
      reason:
        "Cannot replace the document of 'migrate': the handler does not have the grant 'replace'; add it to its grants",
    },
    {
      what: 'where libvirt takes none',
      grants: granted,
      event: 'prepare',
      document: other,
      failure: 'not-granted',
      reason:
        "Cannot replace the document of 'prepare': libvirt does not accept a document for this operation; " +
        'replace only at migrate or restore',
    },
    {
      what: 'that libvirt could not use',
      grants: granted,
      event: 'migrate',
      document: Buffer.from('<domain><name>evil</name></domain>'),
      failure: 'bad-replacement',
      reason: "Cannot replace the document of 'migrate': its name is another one",
    },
  ])('$what is a failure', async ({ grants, event, document, failure, reason }) => {
    const handler = handlerOf({ grants, failurePolicy: { policy: 'ignore' } }, replace(document));
    const result = await ask([handler], { event });
    expect(result.document).toBeNull();
    expect(result.verdict.verdict).toBe('allow');
    expect(result.verdict.handlers[0]).toMatchObject({ outcome: null, failure, reason, fuel: 7 });
  });
});

describe('a failure', () => {
  it('denies under fail', async () => {
    const { verdict } = await ask([handlerOf({}, fails('out-of-fuel', 'it ran out of fuel'))]);
    expect(verdict).toMatchObject({ verdict: 'deny', reason: 'cannot decide: it ran out of fuel', answered: 'deny' });
    expect(verdict.handlers[0]).toMatchObject({
      outcome: null,
      reason: 'it ran out of fuel',
      failure: 'out-of-fuel',
      fuel: 3,
      logs: [{ level: 'warn', message: 'before the end' }],
    });
  });

  it('allows under ignore', async () => {
    const result = await ask([
      handlerOf({ name: 'a', failurePolicy: { policy: 'ignore' } }, fails('deadline', 'too slow')),
      handlerOf({ name: 'b' }, allow),
    ]);
    expect(result.verdict.verdict).toBe('allow');
    expect(ran(result)).toEqual(['a deadline', 'b allow']);
  });

  it('of any other kind is unavailable, with its message', async () => {
    const { verdict } = await ask([
      handlerOf({}, () => {
        throw new TypeError('x is not\na function');
      }),
    ]);
    expect(verdict.handlers[0]).toMatchObject({ failure: 'unavailable', reason: 'x is not a function', fuel: null });
  });

  it('lets the fallback decide, whatever its mode, with a record of its own', async () => {
    const fallback = handlerOf({ name: 'f', mode: 'monitor' }, deny('from the fallback'));
    const result = await ask([
      handlerOf({ name: 'a', failurePolicy: { policy: 'fallback', handler: 'f' } }, fails('trap', 'boom'), fallback),
    ]);
    expect(result.verdict).toMatchObject({ verdict: 'deny', reason: 'from the fallback', answered: 'deny' });
    expect(result.verdict.handlers).toMatchObject([
      { handler: 'a', outcome: null, failure: 'trap' },
      { handler: 'f', mode: 'enforce', fallbackFor: 'a', outcome: 'deny', failure: null },
    ]);
    expect('fallbackFor' in (result.verdict.handlers[0] ?? {})).toBe(false);
  });

  it('of a fallback follows the failure policy of the fallback', async () => {
    const failurePolicy = { policy: 'fallback', handler: 'f' } as const;
    const forgiving = handlerOf({ name: 'f', failurePolicy: { policy: 'ignore' } }, fails('crashed', 'gone'));
    const strict = handlerOf({ name: 'f' }, fails('crashed', 'gone'));
    expect((await ask([handlerOf({ failurePolicy }, fails('trap', 'x'), forgiving)])).verdict.verdict).toBe('allow');
    expect((await ask([handlerOf({ failurePolicy }, fails('trap', 'x'), strict)])).verdict.reason).toBe(
      'cannot decide: gone',
    );
  });

  it('denies when the fallback is missing or leads back', async () => {
    const failurePolicy = { policy: 'fallback', handler: 'b' } as const;
    expect((await ask([handlerOf({ name: 'a', failurePolicy }, fails('trap', 'x'))])).verdict.answered).toBe('deny');
    const b = handlerOf(
      { name: 'b', failurePolicy: { policy: 'fallback', handler: 'a' } },
      fails('trap', 'y'),
      handlerOf({ name: 'a' }, allow),
    );
    const result = await ask([handlerOf({ name: 'a', failurePolicy }, fails('trap', 'x'), b)]);
    expect(result.verdict.reason).toBe('cannot decide: y');
    expect(ran(result)).toEqual(['a trap', 'b trap']);
  });
});

describe('a chain of scripts', () => {
  let folder: string | null = null;
  afterAll(async () => {
    await scripts[Symbol.asyncDispose]();
    if (folder !== null) await rm(folder, { recursive: true });
  });

  async function scriptHandler(name: string, text: string): Promise<LoadedHandler> {
    folder ??= await mkdtemp(join(tmpdir(), 'hookvisor-chain-test-'));
    const source = join(folder, name);
    await writeFile(source, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    const config = configOf({ name, source, ...replaces });
    return { config, handler: await scripts.load(config), fallback: null };
  }

  it('threads the document and ends with a denial', async () => {
    const edit = await scriptHandler('edit', "sed 's|</domain>|<edited/></domain>|'");
    const look = await scriptHandler('look', 'if grep -q edited; then exit 0; else echo not edited >&2; exit 1; fi');
    const refuse = await scriptHandler('refuse', 'echo "no room" >&2; exit 2');
    const allowed = await ask([edit, look], migrate);
    expect(allowed.verdict.answered).toBe('replace');
    expect(allowed.document).toEqual(other);
    const denied = await ask([edit, refuse, look], migrate);
    expect(denied.verdict).toMatchObject({ verdict: 'deny', reason: 'no room' });
    expect(denied.verdict.handlers.map(({ fuel }) => fuel)).toEqual([null, null]);
  });
});
