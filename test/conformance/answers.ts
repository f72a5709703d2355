import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { errorOf, handlerConfig, hookCall, samplePlugin } from '../support/sandbox.js';
import { assemble, lonelyGuest } from '../support/hostile.js';
import { endingOf, wakingCall } from './arena.js';
import type { Arena, Contender } from './arena.js';

const notJson = /its answer is not JSON$/u;
const notAnOutcome = /its answer is not an outcome in JSON$/u;

const answers: readonly { title: string; answer: string; message: RegExp }[] = [
  { title: 'text that is not JSON', answer: 'allow', message: notJson },
  { title: 'a second value after the first', answer: '{"outcome":"allow"}{"outcome":"allow"}', message: notJson },
  { title: 'an unfinished object', answer: '{"outcome":"allow"', message: notJson },
  { title: '100,000 nested lists', answer: '['.repeat(100_000) + ']'.repeat(100_000), message: /is not/u },
  { title: '100,000 nested objects', answer: '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000), message: /is not/u },
  { title: 'null', answer: 'null', message: notAnOutcome },
  { title: 'a list', answer: '["allow"]', message: notAnOutcome },
  { title: 'a number too large for any', answer: '1e999', message: notAnOutcome },
  { title: 'a number of a million digits', answer: '9'.repeat(1_000_000), message: notAnOutcome },
  { title: 'an outcome of another type', answer: '{"outcome":true}', message: notAnOutcome },
  { title: 'an outcome in other letters', answer: '{"outcome":"ALLOW"}', message: notAnOutcome },
  { title: 'a reason that is an object', answer: '{"outcome":"deny","reason":{"a":1}}', message: notAnOutcome },
  { title: 'a key too many', answer: '{"outcome":"allow","reason":"no"}', message: notAnOutcome },
  { title: 'an outcome by its prototype', answer: '{"__proto__":{"outcome":"allow"}}', message: notAnOutcome },
  {
    title: 'a document with half a character, which would become another document',
    answer: '{"outcome":"replace","document":"<a>\\ud800</a>"}',
    message: /the document in its answer contains a lone surrogate$/u,
  },
  {
    title: 'a constructor among the keys',
    answer: '{"outcome":"allow","constructor":{"prototype":{"outcome":"deny"}}}',
    message: notAnOutcome,
  },
];

/** Answers that are no outcomes, and plugins that are not what they were. */
export function hostileAnswers(current: () => Arena): void {
  describe('an answer of an Extism plugin that is no outcome breaks the contract:', () => {
    let plugin: Buffer;
    beforeAll(async () => {
      plugin = await lonelyGuest('extism', 'answer-from-settings');
    });

    it.each(answers)(
      '$title',
      async ({ answer, message }) => {
        await using handler = await current().load('extism', plugin, { settings: { answer } });
        const first = await endingOf(handler, wakingCall('000'));
        expect(first.failure).toBe('protocol');
        expect(first.message).toMatch(message);
        expect(await endingOf(handler, wakingCall('000'))).toEqual(first);
        await current().neighbourAnswers();
      },
      30_000,
    );

    it('of two keys of one name the last one counts', async () => {
      const answer = '{"outcome":"allow","outcome":"deny","reason":"last"}';
      await using handler = await current().load('extism', plugin, { settings: { answer } });
      expect(await endingOf(handler, wakingCall('000'))).toMatchObject({ outcome: 'deny', text: 'last' });
    });

    it('changes no prototype for those that come after', async () => {
      const answer = '{"outcome":"allow","__proto__":{"polluted":true}}';
      await using handler = await current().load('extism', plugin, { settings: { answer } });
      await endingOf(handler, wakingCall('000'));
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
      await current().neighbourAnswers();
    });
  });

  describe('a plugin that is swapped on disk', () => {
    const denying = '(func (export "handle") (result i32) unreachable)';

    it('changes nothing for the handler that runs, and the next load takes the new one', async () => {
      const source = join(current().folder, 'swapped.wasm');
      const [good, bad] = [await assemble('extism', ''), await assemble('extism', denying)];
      await writeFile(source, good);
      const load = (): Promise<Contender> =>
        current().loadConfigured(handlerConfig({ name: 'swapped', backend: 'extism', source }));
      await using before = await load();
      await writeFile(`${source}.new`, bad);
      await rename(`${source}.new`, source);
      expect(await before.evaluate(hookCall())).toMatchObject({ outcome: 'allow' });
      await using after = await load();
      expect(after.digest).toBe(createHash('sha256').update(bad).digest('hex'));
      expect((await endingOf(after, hookCall())).failure).toBe('trap');
      expect(await before.evaluate(hookCall())).toMatchObject({ outcome: 'allow' });
      expect(before.digest).toBe(createHash('sha256').update(good).digest('hex'));
    }, 30_000);

    it.each(['component', 'extism'] as const)(
      'is refused by the digest that is pinned (%s)',
      async (backend) => {
        const source = join(current().folder, `pinned-${backend}.wasm`);
        const good = backend === 'component' ? await readFile(samplePlugin('tiny-allow')) : await assemble(backend, '');
        await writeFile(source, good);
        const sha256 = createHash('sha256').update(good).digest('hex');
        const config = handlerConfig({ name: 'pinned', backend, source, sha256 });
        await using handler = await current().loadConfigured(config);
        const other = await assemble(backend, '(func $other)');
        await writeFile(source, other);
        expect(await handler.evaluate(hookCall())).toMatchObject({ outcome: 'allow' });
        const error = await errorOf(current().loadConfigured(config));
        const found = createHash('sha256').update(other).digest('hex');
        expect(error.code).toBe('plugin-digest');
        expect(error.message).toContain(`has sha256 ${found}, the configuration pins ${sha256}`);
      },
      30_000,
    );
  });
}
