import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planSchema } from '../../../src/contract/component-plan.js';
import type { ComponentPlan } from '../../../src/contract/component-plan.js';
import { packageRoot } from '../../../src/shared/paths.js';
import { admitPlugin } from '../../../src/admission/admit.js';
import { detectBackend } from '../../../src/admission/vet.js';
import { planOf } from '../../../src/admission/translation/plan.js';
import { translateComponent } from '../../../src/admission/translation/translator.js';
import type { Options, Value } from '../../../src/admission/translation/translation.js';
import { asksAtStart, bornNames, callsAtStart, callsWhileAsked, composed } from '../../support/composed.js';
import { nested, ownResource, reenters, three } from '../../support/composed.js';
import { guestsIn, hostileCrowd, lonelyGuest } from '../../support/hostile.js';
import { passesText } from '../../support/other-worlds.js';
import { componentBytes, guestLimits, hookCall, loadGuest } from '../../support/plugins.js';

const plan = async (bytes: Buffer): Promise<ComponentPlan> => planOf(await translateComponent(bytes));

/** Why there is no plan; null where there is one. */
const inTheWay = (bytes: Buffer): Promise<string | null> =>
  plan(bytes).then(
    () => null,
    (error: unknown) => String(error),
  );

const settings = ['hookvisor:hook/settings@0.1.0', 'json'];
const optionsWith = (changes: Partial<Options>): Options => ({
  ...{ instance: 0, encoding: 'utf8', memory: { is: 'export', instance: 0, name: 'memory' }, realloc: null },
  ...{ postReturn: null, other: false },
  ...changes,
});

const allowing = { handle: '(i32.const 64)' };

/** What is kept here word for word, so that a new version of the translator shows what it changes. */
const corpus: readonly (readonly [string, () => Promise<Buffer>])[] = [
  ['plain', () => componentBytes({ handle: '(i32.const 0)' })],
  ['asks-at-start', () => composed(asksAtStart)],
  ['own-resource', () => composed({ ...ownResource(true), ...allowing })],
  ['nested', () => composed({ ...nested, ...allowing })],
  ['three', () => composed({ ...three, ...allowing })],
  ['calls-at-start', () => composed(callsAtStart)],
  ['calls-while-asked', () => composed(callsWhileAsked('another'))],
  ['reenters-itself', () => composed(reenters('itself'))],
  ['reenters-through-another', () => composed(reenters('through another'))],
];

describe('a plan', () => {
  it.each(corpus)('is as it was: %s', async (name, bytes) => {
    const translated = await translateComponent(await bytes());
    const sizes = translated.modules.map(({ length }) => length);
    const made = planOf(translated);
    expect(planSchema.parse(JSON.parse(JSON.stringify(made)))).toEqual(made);
    await expect(`${JSON.stringify({ sizes, ...made }, null, 1)}\n`).toMatchFileSnapshot(
      join(packageRoot, 'test', 'fixtures', 'plans', `${name}.json`),
    );
  });

  it('is there for every hostile component', async () => {
    const guests = [...guestsIn('both/alone'), ...guestsIn('component/alone')];
    const found = [['crowd', await inTheWay((await hostileCrowd('component')).bytes)]];
    for (const guest of guests) found.push([guest, await inTheWay(await lonelyGuest('component', guest))]);
    expect(found.filter(([, reason]) => reason !== null)).toEqual([]);
    expect(found.length).toBeGreaterThan(20);
  }, 120_000);

  it('is there for every sample plugin that is a component', async () => {
    const files = readdirSync(join(packageRoot, 'plugins'))
      .map((name) => join(packageRoot, 'plugins', name, 'build', `${name}.wasm`))
      .filter((file) => existsSync(file) && detectBackend(readFileSync(file)) === 'component');
    const found: [string, string | null][] = [];
    for (const file of files) found.push([file, await inTheWay(readFileSync(file))]);
    expect(found.filter(([, reason]) => reason !== null)).toEqual([]);
    expect(found.length).toBeGreaterThan(5);
  }, 120_000);

  it('is there for as much as a component may lower', async () => {
    const many = Array.from({ length: 900 }, (_, at) => at);
    const all = (of: (at: number) => string): string => many.map(of).join('\n');
    const bytes = await composed({
      parts: `
        (core module $rooms ${all((at) => `(func (export "${at}") (param i32 i32 i32 i32) (result i32) unreachable)`)})
        (core instance $rooms (instantiate $rooms))
        ${all((at) => `(core func $ask${at} (canon lower (func $json) (memory $memory) (realloc (func $rooms "${at}"))))`)}`,
      calls: many.map((at) => [`ask${at}`, '(param i32)']),
      ...allowing,
    });
    const began = performance.now();
    expect(await inTheWay(bytes)).toBeNull();
    expect(performance.now() - began).toBeLessThan(3_000);
  }, 60_000);

  it.each([
    [
      'text in another encoding',
      `(core func $other (canon lower (func $json) (memory $memory) (realloc $realloc) string-encoding=utf16))
        (core module $asks (import "" "ask" (func (param i32))))
        (core instance $asks (instantiate $asks (with "" (instance (export "ask" (func $other))))))`,
    ],
    ...['aaa:bbb/handler@0.1.0', 'handler', 'zzz:bbb/handler'].map((name) => [
      `an interface '${name}' besides`,
      `(core module $allows (func (export "handle") (param i32) (result i32) (i32.const 64)))
        (core instance $allows (instantiate $allows))
        (func $allow (param "event" $event) (result $outcome)
          (canon lift (core func $allows "handle") (memory $memory) (realloc $realloc)))
        (instance $twin (export "handle" (func $allow)))
        (export "${name}" (instance $twin))`,
    ]),
  ])('is there for a component with %s, which decides by its own handler', async (_, parts) => {
    const bytes = await composed({ parts, handle: '(call $say (i32.const 7))' });
    const { outcome } = await (await loadGuest('component', bytes)).evaluate(hookCall());
    expect(outcome).toEqual({ outcome: 'deny', reason: '0000000007' });
  });

  it('gives a part what another has by the name of a prototype', async () => {
    const bytes = await composed(bornNames('__proto__'));
    const { outcome } = await (await loadGuest('component', bytes)).evaluate(hookCall());
    expect(outcome).toEqual({ outcome: 'deny', reason: '0000000007' });
  });

  it.each([
    ['text in UTF-16 between its parts', () => passesText('utf16', 'utf16'), 'converts text (utf16-to-utf16)'],
    [
      'what the host makes as its destructor',
      () =>
        composed({
          parts: `(type $r (resource (rep i32)))
            (core func $drop (canon resource.drop $r))
            (type $s (resource (rep i32) (dtor (func $drop))))
            (core func $other (canon resource.drop $s))`,
          calls: [['other', '(param i32)']],
          ...allowing,
        }),
      "uses a definition of the host ('resource-drop') as its own function",
    ],
  ])('is refused, by name, for %s', async (_, bytes, why) => {
    await expect(bytes().then(plan)).rejects.toMatchObject({
      code: 'plugin-refused',
      message: expect.stringContaining(why) as string,
      fields: { rule: 'structure' },
    });
  });

  it.each<[string, Value]>([
    ["needs 'task-return'", { is: 'other', name: 'task-return' }],
    ["imports 'a#b'", { is: 'lower', path: ['a', 'b'], options: optionsWith({}) }],
    ['calls asynchronously', { is: 'lower', path: settings, options: optionsWith({ other: true }) }],
    [
      'passes strings as latin1+utf16',
      { is: 'lower', path: settings, options: optionsWith({ encoding: 'latin1+utf16' }) },
    ],
    ['passes values without a memory', { is: 'lower', path: settings, options: optionsWith({ memory: null }) }],
  ])('is refused where a component %s', (what, value) => {
    const translation = {
      exports: [],

      instances: [{ module: 0, imports: [{ module: 'm', name: 'n', value }] }],
    };
    expect(() => planOf(translation)).toThrow(`it ${what}; the runner does not support this`);
  });

  it.each([
    ['', false],
    ['(import "hookvisor:hook/document@0.1.0" "text" (func (param i32)))', false],
    ['(import "hookvisor:hook/document@0.1.0" "select" (func (param i32 i32 i32)))', true],
  ])('says whether libxml2 is needed: %s', async (imports, needsXml) => {
    const artefact = await admitPlugin(
      // Its name is no reason.
      await componentBytes({ imports, fields: '(func (export "select"))', handle: '(i32.const 0)' }),
      { backend: 'component', memoryBytes: guestLimits.memoryBytes },
    );
    expect(artefact.assembly).toMatchObject({ kind: 'plan', needsXml });
  });
});
