import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { encodeFrame } from '../../src/contract/framing.js';
import { type BareClient, type BareGate, fromGate, visit } from '../support/bare-gate.js';

const which = fc.nat(20);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('connects' as const), bytes: fc.constantFrom(0, 9, 900, 90_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('sends' as const),
      which,
      percent: fc.nat(99),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('sends the rest' as const), which, more: fc.constantFrom(0, 1, 50) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('is answered' as const),
      which,
      bytes: fc.constantFrom(0, 1, 1_000, 300_000, 4_000_000),
      cuts: fc.array(fc.oneof(fc.nat(12), fc.nat(4_000_000)), { maxLength: 3 }),
      waits: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('is answered again' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constantFrom('ends its side' as const, 'leaves' as const, 'reads no more' as const),
      which,
    }),
  },
);

/** What clients and the runtime do, in order, and how it ends. */
export const histories = fc.record({
  steps: fc.array(step, { minLength: 3, maxLength: 40 }),
  stops: fc.boolean(),
  /** So many clients complete their requests in the moment in which the runtime leaves. */
  lastMoment: fc.nat(3),
  /** So many are answered in that moment. */
  lastAnswers: fc.nat(3),
  /** All of that has happened before the gate looks. */
  frozen: fc.boolean(),
  leaves: fc.constantFrom('ends' as const, 'is gone' as const),
});

type History = typeof histories extends fc.Arbitrary<infer Value> ? Value : never;
type Step = History['steps'][number];

/** What is known of a client from outside. */
interface Known extends BareClient {
  readonly request: Buffer;
  sent: number;
  here: boolean;
  /** It has ended its side, or was hung up on: it sends nothing more. */
  done: boolean;
  /** Its connection, once the gate has handed its request over. */
  number: number | null;
  answer: Buffer | null;
}

/** Clients of a gate and what must become of them. */
export class GateModel {
  readonly #gate: BareGate;
  readonly #socket: string;
  readonly #clients: Known[] = [];
  #seen = 0;

  constructor(gate: BareGate, socket: string) {
    this.#gate = gate;
    this.#socket = socket;
  }

  /** Goes through a history; throws where the gate does what it must not. */
  async live({ steps, stops, lastMoment, lastAnswers, frozen, leaves }: History): Promise<void> {
    await this.#gate.until(() => this.#gate.frames.length > 0);
    expect(this.#gate.frames[this.#seen++]?.type).toBe(fromGate.listening);
    for (const each of steps) await this.#do(each);
    if (stops) await this.#stop();
    const reading = this.#unsent().slice(0, lastMoment);
    const waiting = this.#waiting().slice(0, lastAnswers);
    if (frozen) this.#gate.kill('SIGSTOP');
    for (const client of reading) this.#send(client, client.request.subarray(client.sent));
    if (reading.length > 0) await sleep(1);
    // While it is stopped nobody makes room in the socket.
    await Promise.all(waiting.map((client) => this.#answer(client, frozen ? 20_000 : 4_000_000)));
    this.#gate.leave(leaves);
    if (frozen) this.#gate.kill('SIGCONT');
    await this.#check(new Set(reading));
  }

  #unsent(): Known[] {
    return this.#clients.filter((client) => client.here && !client.done && client.sent < client.request.length);
  }

  #waiting(): Known[] {
    return this.#clients.filter(({ number, answer }) => number !== null && answer === null);
  }

  async #do(each: Step): Promise<void> {
    if (each.does === 'connects') return this.#connect(each.bytes);
    const of = (clients: Known[]): Known | undefined => clients[each.which % Math.max(1, clients.length)];
    switch (each.does) {
      case 'sends': {
        const client = of(this.#unsent());
        if (client === undefined) return;
        const left = client.request.length - client.sent;
        this.#send(client, client.request.subarray(client.sent, client.sent + Math.floor((left * each.percent) / 100)));
        return;
      }
      case 'sends the rest':
        return this.#complete(of(this.#unsent()), each.more);
      case 'is answered': {
        const client = of(this.#waiting());
        if (client === undefined) return;
        await this.#answer(client, each.bytes, each.cuts);
        if (each.waits && client.here && !client.socket.isPaused()) this.#expectAnswer(client, await client.got);
        return;
      }
      case 'is answered again':
        return this.#answerAgain(of(this.#clients.filter(({ answer }) => answer !== null)));
      case 'ends its side': {
        const client = of(this.#unsent());
        client?.socket.end();
        if (client !== undefined) client.done = true;
        return;
      }
      case 'leaves': {
        const client = of(this.#clients.filter(({ here }) => here));
        client?.socket.destroy();
        if (client !== undefined) client.here = false;
        return;
      }
      case 'reads no more':
        of(this.#clients.filter(({ here }) => here))?.socket.pause();
    }
  }

  async #connect(bytes: number): Promise<void> {
    const id = Buffer.alloc(4);
    id.writeUInt32BE(this.#clients.length);
    const request = encodeFrame(0x01, id, Buffer.alloc(bytes, 'r'));
    const client = await visit(this.#socket);
    this.#clients.push({ ...client, request, sent: 0, here: true, done: false, number: null, answer: null });
  }

  #send(client: Known, bytes: Buffer, more = 0): void {
    client.socket.write(Buffer.concat([bytes, Buffer.alloc(more, 'm')]));
    client.sent += bytes.length;
  }

  async #complete(client: Known | undefined, more: number): Promise<void> {
    if (client === undefined) return;
    this.#send(client, client.request.subarray(client.sent), more);
    await this.#gate.until(() => {
      this.#listen();
      return client.number !== null;
    });
    expect(client.number).not.toBeNull();
  }

  async #answer(client: Known, bytes: number, cuts?: readonly number[]): Promise<void> {
    if (client.number === null) throw new Error('only who waits is answered');
    client.answer = Buffer.alloc(bytes, `${this.#clients.indexOf(client)},`);
    await this.#gate.answer(client.number, client.answer, cuts);
  }

  /** Goes to nobody, unless the number has been given away again. */
  async #answerAgain(client: Known | undefined): Promise<void> {
    if (client?.number === null || client === undefined) return;
    if (this.#waiting().some(({ number }) => number === client.number)) return;
    await this.#gate.answer(client.number, Buffer.from('again'));
    await this.#gate.answer(0xffff_ffff, Buffer.from('nobody'));
    // By the time another has its answer, these have been read.
    await this.#connect(0);
    const later = this.#clients.at(-1);
    await this.#complete(later, 0);
    if (later !== undefined) await this.#answer(later, 3);
  }

  /** Takes what the gate has said: each whole request once, as it was sent, and never under a number that is in use. */
  #listen(): void {
    for (; this.#seen < this.#gate.frames.length; this.#seen++) {
      const frame = this.#gate.frames[this.#seen];
      if (frame?.type === fromGate.stopped) continue;
      expect(frame?.type).toBe(fromGate.request);
      const number = frame?.body.readUInt32BE(0) ?? 0;
      const request = frame?.body.subarray(4);
      const client = this.#clients[request?.readUInt32BE(6) ?? -1];
      expect([client?.number, client?.request.equals(request ?? Buffer.alloc(0))]).toEqual([null, true]);
      expect(this.#waiting().map((other) => other.number)).not.toContain(number);
      if (client !== undefined) client.number = number;
    }
  }

  async #stop(): Promise<void> {
    const hungUp = this.#unsent();
    this.#gate.stop();
    await this.#gate.until(() => this.#gate.frames.at(-1)?.type === fromGate.stopped);
    for (const client of hungUp) {
      client.done = true;
      client.socket.resume();
      expect(await client.got).toHaveLength(0);
    }
    const refused = await visit(this.#socket);
    expect(await refused.got).toHaveLength(0);
  }

  /** What everybody must have got in the end: a whole answer, or nothing. */
  async #check(late: ReadonlySet<Known>): Promise<void> {
    for (const { socket } of this.#clients) socket.resume();
    expect(await this.#gate.ended).toEqual({ status: 0, said: '' });
    this.#listen();
    for (const client of this.#clients) {
      const got = await client.got;
      if (client.sent < client.request.length) expect(client.number).toBeNull();
      else if (!late.has(client)) expect(client.number).not.toBeNull();
      if (client.here) this.#expectAnswer(client, got);
    }
  }

  /** The whole answer, or nothing for who has none. Not with toEqual(), which takes seconds for megabytes. */
  #expectAnswer({ answer }: Known, got: Buffer): void {
    const whole = answer ?? Buffer.alloc(0);
    expect([got.length, got.equals(whole)]).toEqual([whole.length, true]);
  }
}
