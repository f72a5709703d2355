// @ts-check
// The runtime with a clock around its stages. Accepts the options of `hookvisor serve`. At SIGUSR2 it prints the
// microseconds of each event since the last SIGUSR2, as one line of JSON.
import { parseArgs } from 'node:util';
import { answerRequest, requestDeadlineMs } from '../../dist/runtime/listener/answer-request.js';
import { listen } from '../../dist/runtime/listener/listen.js';
import { configFrom, createRuntime } from '../../dist/runtime/runtime.js';

/** @typedef {{ total: number, decode: number, decide: number, handlers: number, encode: number }} Stages */

const { values } = parseArgs({ options: { config: { type: 'string' } }, allowPositionals: true });
const log = () => undefined;
const runtime = await createRuntime({ log, load: configFrom(values.config ?? '') });
/** @type {Stages[]} */
let events = [];

/** @param {Buffer | null} request */
async function answer(request) {
  const arrived = performance.now();
  let decoded = arrived;
  let decided = arrived;
  let handlers = 0;
  /** @type {typeof runtime} */
  const timed = {
    config: runtime.config,
    promotions: runtime.promotions,
    emit: (command, document) => runtime.emit(command, document),
    reload: () => runtime.reload(),
    status: () => runtime.status(),
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
    async hook(call) {
      decoded = performance.now();
      const decision = await runtime.hook(call);
      decided = performance.now();
      handlers = decision.verdict.handlers.reduce((sum, { durationUs }) => sum + durationUs, 0);
      return decision;
    },
  };
  const frame = await answerRequest(request, { runtime: timed, log, role: 'operator' });
  const now = performance.now();
  const us = (/** @type {number} */ from, /** @type {number} */ to) => (to - from) * 1_000;
  const decide = us(decoded, decided) - handlers;
  events.push({ total: us(arrived, now), decode: us(arrived, decoded), decide, handlers, encode: us(decided, now) });
  return frame;
}

const listener = await listen({ path: runtime.config.socket, answer, patienceMs: requestDeadlineMs, log });
console.log('listening on it');
process.on('SIGUSR2', () => {
  console.log(`stages ${JSON.stringify(events)}`);
  events = [];
});
process.once('SIGTERM', () => {
  void listener
    .stop()
    .then(() => listener.close())
    .then(() => runtime[Symbol.asyncDispose]())
    .then(() => process.exit(0));
});
