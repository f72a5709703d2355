import { fstatSync, readdirSync, readSync, statSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { closePipe, createPipePool } from '../../src/backends/pipes.js';

const pool = createPipePool();

function openPipes(): number {
  return readdirSync('/proc/self/fd').filter((fd) =>
    statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false })?.isFIFO(),
  ).length;
}

afterEach(() => pool[Symbol.asyncDispose]());

describe('a pool of pipes', () => {
  it('gives empty pipes that carry bytes from one end to the other, each its own', async () => {
    const pipes = await pool.take(10);
    for (const [index, { read, write }] of pipes.entries()) {
      expect([fstatSync(read).isFIFO(), fstatSync(write).isFIFO()]).toEqual([true, true]);
      writeSync(write, `pipe ${String(index)}`);
    }
    const bytes = Buffer.alloc(64);
    expect(pipes.map(({ read }) => bytes.toString('utf8', 0, readSync(read, bytes)))).toEqual(
      pipes.map((_, index) => `pipe ${String(index)}`),
    );
    pipes.forEach(closePipe);
  });

  it('serves many takers at once, no pipe twice', async () => {
    const taken = (await Promise.all(Array.from({ length: 20 }, () => pool.take(3)))).flat();
    expect(new Set(taken.flatMap(({ read, write }) => [read, write])).size).toBe(120);
    expect(new Set(taken.map(({ read }) => fstatSync(read).ino)).size).toBe(60);
    taken.forEach(closePipe);
  });

  it('closes its stock when it is disposed of, and can be used again', async () => {
    (await pool.take(1)).forEach(closePipe);
    await pool[Symbol.asyncDispose]();
    const before = openPipes();
    (await pool.take(1)).forEach(closePipe);
    expect(openPipes()).toBeGreaterThan(before);
    await pool[Symbol.asyncDispose]();
    expect(openPipes()).toBeLessThanOrEqual(before);
  });
});
