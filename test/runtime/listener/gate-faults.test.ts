import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../../src/contract/framing.js';
import { type BareClient, type BareGate, fromGate, startBareGate, visit } from '../../support/bare-gate.js';
import { everyFault, type Fault } from '../../support/every-fault.js';
import { buildWithFaults, callsOf } from '../../support/native-variant.js';

const folder = mkdtempSync(join(tmpdir(), 'gate-faults-'));
/** Larger than a socket holds, so that the gate has to wait for the client. */
const answer = Buffer.alloc(600_000, 'answer ');
const request = (id: number): Buffer => encodeFrame(0x01, Buffer.from([0, 0, 0, id]), Buffer.alloc(40_000, 'r'));
const clients = 4;
const patienceMs = 1_000;

let program = '';
beforeAll(() => {
  program = buildWithFaults(folder, 'gate');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  /** Whether it has said that it listens. */
  readonly listened: boolean;
  /** Clients that got their answer. */
  readonly served: number;
  readonly status: number | null;
  readonly said: string;
  readonly ms: number;
}

/** Clients one after the other while a call of the gate fails. */
async function run(fault: Fault): Promise<Run> {
  const socket = join(folder, `${fault.call}-${fault.failure}-${fault.at}-${String(fault.lasting)}`);
  const start = performance.now();
  const gate = startBareGate({ program, socket, patienceMs, env: fault.env });
  await gate.until(() => gate.frames.length > 0);
  const listened = gate.frames[0]?.type === fromGate.listening;
  let served = 0;
  for (let id = 0; id < clients && listened; id++) {
    const got = await call(gate, await visit(socket), id);
    // The connection whose call failed is closed; what it has got until then is right.
    if (got.length > 0) expect(answer.subarray(0, got.length).equals(got), said(fault)).toBe(true);
    if (got.length === answer.length) served += 1;
  }
  gate.leave('ends');
  const giveUp = setTimeout(() => {
    gate.kill('SIGKILL');
  }, 10_000);
  const { status, said: stderr } = await gate.ended;
  clearTimeout(giveUp);
  rmSync(socket, { force: true });
  return { listened, served, status, said: stderr, ms: performance.now() - start };
}

/** What a client gets that sends its request in two parts; nothing when it is hung up on, or not taken. */
async function call(gate: BareGate, { socket, got }: BareClient, id: number): Promise<Buffer> {
  const bytes = request(id);
  socket.write(bytes.subarray(0, 20_000));
  setTimeout(() => socket.write(bytes.subarray(20_000)), 2);
  let over = false;
  const ended = got.then((all) => {
    over = true;
    return all;
  });
  const asked = (): number | undefined =>
    gate.frames
      .find(({ type, body }) => type === fromGate.request && body.subarray(4).equals(bytes))
      ?.body.readUInt32BE(0);
  const late = setTimeout(() => socket.destroy(), 2 * patienceMs);
  const watch = setInterval(() => {
    const number = asked();
    if (number === undefined && !over) return;
    clearInterval(watch);
    if (number !== undefined) void gate.answer(number, answer);
  }, 1);
  const all = await ended;
  clearTimeout(late);
  clearInterval(watch);
  return all;
}

const said = (fault: Fault, more: unknown = ''): string => JSON.stringify({ fault, more });

describe('the gate', () => {
  it('loses one client at most, whichever call fails, or says that it cannot listen', async () => {
    const struck = await everyFault({ dir: folder, calls: callsOf('gate'), first: 6 }, async (fault) => {
      const result = await run(fault);
      const about = said(fault, result);
      expect(result.said, about).toBe('');
      // On the socket to the runtime this means that the runtime is gone.
      const parted = ['recv', 'sendmsg'].includes(fault.call) && ['ECONNRESET', 'EPIPE'].includes(fault.failure);
      if (!result.listened) expect([0, 1], about).toContain(result.status);
      else expect([parted || result.served >= clients - 1, result.status], about).toEqual([true, 0]);
    });
    expect(struck).toBeGreaterThan(60);
  });

  it('ends in time when a call fails for ever, and not as if all were well when that was its own end', async () => {
    const own = ['epoll_wait:EINVAL', 'sendmsg:ENOMEM'];
    const struck = await everyFault({ dir: folder, calls: callsOf('gate'), lasting: true }, async (fault) => {
      if (fault.failure === 'EINTR') return; // nothing interrupts for ever
      const result = await run(fault);
      const about = said(fault, result);
      expect(result.said, about).toBe('');
      expect(result.ms, about).toBeLessThan(clients * 2 * patienceMs + 6_000);
      if (own.includes(`${fault.call}:${fault.failure}`)) expect(result.status, about).toBe(1);
      else expect([0, 1], about).toContain(result.status);
    });
    expect(struck).toBeGreaterThan(15);
  });
});
