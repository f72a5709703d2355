import { expect, it } from 'vitest';
import type { Handler } from '../../../src/runtime/backend.js';
import { handlerConfig, hookCall, openSandbox } from '../../support/sandbox.js';

const rounds = 5;
const events = 150;

it('a handler stays within 3 x of its quiet p99 while one of another trust group burns its fuel', async () => {
  await using opened = await openSandbox();
  const backend = opened.sandbox.backend('component');
  const good = await backend.load(handlerConfig({ name: 'good', trust: 'tenant-a' }));
  const source = await opened.fixture('spin');
  const hostile = await backend.load(handlerConfig({ name: 'hostile', trust: 'tenant-b', source }));
  await p99(good);
  const ratios: number[] = [];
  let burnt = 0;
  for (let round = 0; round < rounds; round += 1) {
    const quiet = await p99(good);
    const hostility = burn(hostile);
    const noisy = await p99(good);
    burnt += await hostility.stop();
    ratios.push(noisy / quiet);
  }
  const median = ratios.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Infinity;
  const figures = ratios.map((ratio) => ratio.toFixed(2)).join(', ');
  process.stdout.write(`p99 beside a hostile plugin / quiet p99: ${figures}; ${burnt} events burnt all their fuel\n`);
  expect(burnt).toBeGreaterThanOrEqual(rounds);
  expect(median).toBeLessThanOrEqual(3);
}, 60_000);

/** The 99th percentile of a run of events one after the other, milliseconds. */
async function p99(handler: Handler): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < events; i += 1) {
    const began = performance.now();
    expect((await handler.evaluate(hookCall())).outcome).toEqual({ outcome: 'allow' });
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[Math.floor(events * 0.99)] ?? Infinity;
}

/** Keeps a handler's runner busy until it is told to stop; then how many events it burnt. */
function burn(handler: Handler): { stop: () => Promise<number> } {
  let stopped = false;
  const isStopped = (): boolean => stopped;
  const burning = (async () => {
    let burnt = 0;
    do {
      await expect(handler.evaluate(hookCall())).rejects.toMatchObject({ failure: 'out-of-fuel' });
      burnt += 1;
    } while (!isStopped());
    return burnt;
  })();
  return {
    stop() {
      stopped = true;
      return burning;
    },
  };
}
