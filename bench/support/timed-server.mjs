// @ts-check
// The runtime with a clock around its stages. Takes the options of `hookvisor serve`; at SIGUSR2 it prints, as one line
// of JSON, the microseconds of each event since the last such line.
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { serveConnection } from '../../dist/daemon/connection.js';
import { configFrom, createRuntime } from '../../dist/daemon/runtime.js';

/** @typedef {{ total: number, decode: number, decide: number, handlers: number, encode: number }} Stages */

const { values } = parseArgs({ options: { config: { type: 'string' } }, allowPositionals: true });
const log = () => undefined;
const runtime = await createRuntime({ log, load: configFrom(values.config ?? '') });
/** @type {Stages[]} */
let events = [];

const server = createServer({ allowHalfOpen: true }, (socket) => {
  let arrived = 0;
  let decoded = 0;
  let decided = 0;
  let handlers = 0;
  socket.once('data', () => {
    arrived = performance.now();
  });
  const end = socket.end.bind(socket);
  // @ts-expect-error -- the one overload that is called
  socket.end = (/** @type {Buffer} */ frame) => {
    end(frame);
    const now = performance.now();
    const us = (/** @type {number} */ from, /** @type {number} */ to) => (to - from) * 1_000;
    const decide = us(decoded, decided) - handlers;
    const encode = us(decided, now);
    events.push({ total: us(arrived, now), decode: us(arrived, decoded), decide, handlers, encode });
    return socket;
  };
  /** @type {typeof runtime} */
  const timed = {
    ...runtime,
    async hook(request) {
      decoded = performance.now();
      const decision = await runtime.hook(request);
      decided = performance.now();
      handlers = decision.verdict.handlers.reduce((sum, { durationUs }) => sum + durationUs, 0);
      return decision;
    },
  };
  void serveConnection(socket, timed, log);
});
server.listen({ path: runtime.config.socket, backlog: 4096 }, () => {
  console.log('listening on it');
});
process.on('SIGUSR2', () => {
  console.log(`stages ${JSON.stringify(events)}`);
  events = [];
});
process.once('SIGTERM', () => {
  void runtime[Symbol.asyncDispose]().then(() => process.exit(0));
});
