import { watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerTo, ask, call, dial, echo, held, hungUp, listeners, open, received } from '../../support/listeners.js';
import { temporaryFolder } from '../../support/temp.js';

const large = Buffer.alloc(8 * 1024 * 1024, 'x');

describe.each(listeners)('through $label', ({ listen }) => {
  describe('a request', () => {
    it('is handed over as it came, and answered', async () => {
      const { socket, requests } = await open(listen);
      expect(await ask(socket, call('one'))).toEqual(answerTo('one'));
      expect(requests).toEqual([call('one')]);
    });

    it('that comes byte by byte is handed over once it is whole', async () => {
      const { socket, requests } = await open(listen);
      const client = await dial(socket);
      for (const byte of call('slow')) {
        expect(requests).toEqual([]);
        client.write(Buffer.of(byte));
        await nextTurn();
      }
      expect(await received(client)).toEqual(answerTo('slow'));
      expect(requests).toEqual([call('slow')]);
    });

    it('without a body is handed over', async () => {
      const { socket, requests } = await open(listen);
      expect(await ask(socket, call(''))).toEqual(answerTo(''));
      expect(requests).toEqual([call('')]);
    });

    it('of 8 MiB is handed over byte for byte', async () => {
      const { socket, requests } = await open(listen, { answer: () => Promise.resolve(answerTo('taken')) });
      const bytes = call(Buffer.from(Uint8Array.from({ length: large.length }, (_, at) => 97 + (at % 26))).toString());
      expect(await ask(socket, bytes)).toEqual(answerTo('taken'));
      expect(requests[0]?.equals(bytes)).toBe(true);
    });

    it.each([
      ['garbage', Buffer.alloc(3_000, 0xff)],
      ['half a frame', call('another').subarray(0, 8)],
      ['another request', call('another')],
    ])('with %s after it is handed over alone, and nothing else is', async (_, more) => {
      const { socket, requests } = await open(listen);
      expect(await ask(socket, Buffer.concat([call('first'), more]))).toEqual(answerTo('first'));
      expect(requests).toEqual([call('first')]);
    });

    it('with much garbage that comes while it waits is answered all the same', async () => {
      const { answer, give } = held();
      const { socket } = await open(listen, { answer });
      const client = await dial(socket);
      client.write(call('first'));
      client.write(Buffer.alloc(100_000, 0xff));
      const answered = received(client);
      await give('first');
      expect(await answered).toEqual(answerTo('first'));
    });

    it.each([
      ['of another version', '0000000209ff'],
      ['of no bytes at all', '0000000001ff'],
      ['of one byte more than 64 MiB', '0400000101ff'],
      ['of 4 GiB', 'ffffffff01ff'],
    ])('%s is none: its header is handed over, to be refused', async (_, header) => {
      const { socket, requests } = await open(listen, { answer: () => Promise.resolve(answerTo('no')) });
      const bytes = Buffer.from(`${header}${'00'.repeat(20)}`, 'hex');
      expect(await ask(socket, bytes)).toEqual(answerTo('no'));
      expect(requests).toEqual([bytes.subarray(0, 6)]);
    });
  });

  describe('patience', () => {
    it.each([
      ['nothing', ''],
      ['half a header', '000000'],
      ['a header that announces 64 MiB', '040000000101'],
    ])('ends for a client that says %s: null is handed over, and the client gets the answer', async (_, bytes) => {
      const { socket, requests } = await open(listen, { patienceMs: 200 });
      const client = await dial(socket);
      const start = performance.now();
      client.write(Buffer.from(bytes, 'hex'));
      expect(await received(client)).toEqual(answerTo('nothing'));
      expect(performance.now() - start).toBeGreaterThan(190);
      expect(requests).toEqual([null]);
    });

    it('ends for a client that does not stop sending and is never done', async () => {
      const { socket, requests } = await open(listen, { patienceMs: 200 });
      const client = await dial(socket);
      client.write(Buffer.from('040000000101', 'hex'));
      const timer = setInterval(() => client.write('.'), 10);
      await hungUp(client);
      clearInterval(timer);
      expect(requests).toEqual([null]);
    });

    it('ends for a client that does not take its answer', async () => {
      const { socket } = await open(listen, { patienceMs: 300, answer: () => Promise.resolve(large) });
      const client = await dial(socket);
      client.pause();
      client.write(call('one'));
      const start = performance.now();
      // What it is told while it does not read: writing fails.
      const timer = setInterval(() => client.write('.'), 10);
      await hungUp(client);
      clearInterval(timer);
      expect(performance.now() - start).toBeGreaterThan(290);
      expect((await ask(socket, call('two'))).equals(large)).toBe(true);
    });

    it('is not shortened by the time that an answer takes to be found', async () => {
      const { answer, give } = held();
      const { socket } = await open(listen, { answer, patienceMs: 100 });
      const answered = ask(socket, call('long'));
      await sleep(300);
      await give('long');
      expect(await answered).toEqual(answerTo('long'));
    });
  });

  describe('a client', () => {
    it('that takes a large answer slowly gets all of it', async () => {
      const { socket } = await open(listen, { answer: () => Promise.resolve(large) });
      const client = await dial(socket);
      client.write(call('one'));
      const parts: Buffer[] = [];
      for await (const part of client) {
        parts.push(part as Buffer);
        await nextTurn();
      }
      expect(Buffer.concat(parts).equals(large)).toBe(true);
    });

    it('that hangs up while it waits has been handed over, and disturbs nobody', async () => {
      const { answer, give } = held();
      const { socket, requests } = await open(listen, { answer });
      const client = await dial(socket);
      client.write(call('left'));
      await expect.poll(() => requests).toEqual([call('left')]);
      client.destroy();
      const other = ask(socket, call('stays'));
      await give('stays');
      await give('left');
      expect(await other).toEqual(answerTo('stays'));
      const next = ask(socket, call('next'));
      await give('next');
      expect(await next).toEqual(answerTo('next'));
    });

    it('that ends its side after the request is answered', async () => {
      const { socket } = await open(listen);
      const client = await dial(socket);
      client.end(call('last words'));
      expect(await received(client)).toEqual(answerTo('last words'));
    });

    it.each([
      ['nothing', Buffer.alloc(0)],
      ['half a header', call('half').subarray(0, 3)],
      ['half a request', call('half').subarray(0, 8)],
    ])('that hangs up after %s is forgotten', async (_, bytes) => {
      const { socket, requests } = await open(listen);
      const client = await dial(socket);
      client.end(bytes);
      expect(await received(client)).toHaveLength(0);
      expect(await ask(socket, call('next'))).toEqual(answerTo('next'));
      expect(requests).toEqual([call('next')]);
    });
  });

  describe('many clients', () => {
    it('are all answered, 1,000 at once', async () => {
      const { socket, requests } = await open(listen);
      const names = Array.from({ length: 1_000 }, (_, at) => `call ${at}`);
      const answers = await Promise.all(names.map((name) => ask(socket, call(name))));
      expect(answers.map(String)).toEqual(names.map((name) => String(answerTo(name))));
      expect(requests).toHaveLength(1_000);
    });

    it('get each its own answer, whatever the order', async () => {
      const { answer, give } = held();
      const { socket } = await open(listen, { answer });
      const names = Array.from({ length: 100 }, (_, at) => `call ${at}`);
      const answers = names.map((name) => ask(socket, call(name)));
      for (const name of names.toReversed()) await give(name);
      expect((await Promise.all(answers)).map(String)).toEqual(names.map((name) => String(answerTo(name))));
    });
  });

  describe('the socket', () => {
    it('has mode 0600 from the first moment, whatever the umask', async () => {
      const umask = process.umask(0);
      onTestFinished(() => {
        process.umask(umask);
      });
      const dir = temporaryFolder();
      const seen: string[] = [];
      const watching = watch(dir, (event, name) => seen.push(`${event} ${name ?? ''}`));
      onTestFinished(() => {
        watching.close();
      });
      const socket = join(dir, 'socket');
      const listener = await listen({ place: { path: socket }, answer: echo, patienceMs: 1_000 });
      expect((await stat(socket)).mode & 0o777).toBe(0o600);
      await expect.poll(() => seen.length).toBeGreaterThan(0);
      // A change of the mode would be a `change` of its own.
      expect(seen).toEqual(['rename socket']);
      expect(process.umask(0)).toBe(0);
      await listener.stop();
      await listener.close();
    });

    it('that is in use is refused with the code of the system', async () => {
      const { socket } = await open(listen);
      const second = listen({ place: { path: socket }, answer: echo, patienceMs: 1_000 });
      await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
      expect(await ask(socket, call('still'))).toEqual(answerTo('still'));
    });

    it('in a folder that is not there is refused with the code of the system', async () => {
      const socket = join(temporaryFolder(), 'no', 'socket');
      const place = { path: socket };
      await expect(listen({ place, answer: echo, patienceMs: 1_000 })).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:ENOENT|EACCES)$/u) as string,
      });
      expect(await readdir(dirname(dirname(socket)))).toEqual([]);
    });
  });
});
