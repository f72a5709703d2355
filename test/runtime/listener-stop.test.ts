import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { answerTo, ask, call, dial, held, listeners, open, received } from '../support/listeners.js';

const large = Buffer.alloc(8 * 1024 * 1024, 'x');

describe.each(listeners)('stopping $label', ({ listen }) => {
  it('hangs up on half requests, takes no connection, and leaves alone what is under way', async () => {
    const { answer, give } = held();
    const { socket, listener, requests } = await open(listen, { answer });
    const underWay = ask(socket, call('under way'));
    await expect.poll(() => requests).toHaveLength(1);
    const half = await dial(socket);
    half.write(call('half').subarray(0, 8));
    const mute = await dial(socket);
    // A request that is answered: so much later, both have been accepted.
    const later = ask(socket, call('later'));
    await give('later');
    await later;
    await listener.stop();
    expect([await received(half), await received(mute)]).toEqual([Buffer.alloc(0), Buffer.alloc(0)]);
    await expect(dial(socket)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:ECONNREFUSED|ENOENT)$/u) as string,
    });
    await give('under way');
    await listener.close();
    expect(await underWay).toEqual(answerTo('under way'));
    expect(requests).toHaveLength(2);
  });

  it('amid a hundred requests has handed over all that are answered, and hung up on the others', async () => {
    const { socket, listener, requests } = await open(listen);
    const clients = await Promise.all(Array.from({ length: 100 }, () => dial(socket)));
    const answers = clients.map(received);
    for (const client of clients) client.write(call('one'));
    await listener.stop();
    const taken = requests.length;
    await listener.close();
    const lengths = (await Promise.all(answers)).map(({ length }) => length);
    expect(lengths.filter((length) => length === answerTo('one').length)).toHaveLength(taken);
    expect(requests).toHaveLength(taken);
  });

  it('and closing wait for who takes a large answer slowly', async () => {
    const { socket, listener, requests } = await open(listen, { answer: () => Promise.resolve(large) });
    const client = await dial(socket);
    client.pause();
    client.write(call('one'));
    await expect.poll(() => requests).toHaveLength(1);
    await listener.stop();
    const closed = listener.close();
    await sleep(1_500);
    expect((await received(client)).equals(large)).toBe(true);
    await closed;
  });

  it('and closing end a client that does not take its answer', async () => {
    const options = { patienceMs: 300, answer: () => Promise.resolve(large) };
    const { socket, listener, requests } = await open(listen, options);
    const client = await dial(socket);
    client.pause();
    client.write(call('one'));
    await expect.poll(() => requests).toHaveLength(1);
    const start = performance.now();
    await listener.stop();
    await listener.close();
    // By itself: a second after its patience it would be killed.
    expect(performance.now() - start).toBeLessThan(1_300);
    expect((await received(client)).length).toBeLessThan(large.length);
  });
});
