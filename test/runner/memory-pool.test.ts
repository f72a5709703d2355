import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createMemoryPool, poolBounds } from '../../src/runner/memory-pool.js';
import type { Loan, MemoryPool } from '../../src/runner/memory-pool.js';

const bytes = Buffer.alloc(0);
const poolOf = (initial: number): MemoryPool =>
  createMemoryPool([
    { name: 'main', bytes, memory: { initial, maximum: 2_000 } },
    { name: 'adapter', bytes, memory: null },
  ]);

/** Takes the memory of `main`, lets `use` have it, and gives it back. */
function useOf(pool: MemoryPool, use: (memory: WebAssembly.Memory) => void = () => undefined): WebAssembly.Memory {
  const loan = pool.lend();
  const memory = loan.take('main');
  if (memory === null) throw new Error('there is no memory');
  use(memory);
  loan.giveBack();
  return memory;
}

const fill = ({ buffer }: WebAssembly.Memory): void => void new Uint8Array(buffer).fill(255);
const isZero = ({ buffer }: WebAssembly.Memory): boolean => new Uint8Array(buffer).every((byte) => byte === 0);

describe('a pool of memories', () => {
  it('gives a memory that has been given back to the next, with every byte zero', () => {
    const pool = poolOf(2);
    const first = useOf(pool, fill);
    expect(isZero(first)).toBe(false);
    const second = useOf(pool);
    expect(second).toBe(first);
    expect(isZero(second)).toBe(true);
  });

  it('gives no memory to two at a time, and a loan gives back what it has taken only once', () => {
    const pool = poolOf(1);
    const [one, other] = [pool.lend(), pool.lend()];
    const [first, second] = [one.take('main'), other.take('main')];
    expect(second).not.toBe(first);
    one.giveBack();
    one.giveBack();
    expect(pool.lend().take('main')).toBe(first);
    expect([first, second]).not.toContain(pool.lend().take('main'));
  });

  it('gives two instances of one module a memory each', () => {
    const loan = poolOf(1).lend();
    expect(loan.take('main')).not.toBe(loan.take('main'));
  });

  it('keeps none that has grown', () => {
    const pool = poolOf(1);
    const grown = useOf(pool, (memory) => memory.grow(1));
    expect(useOf(pool)).not.toBe(grown);
    const untouched = useOf(pool, (memory) => memory.grow(0));
    expect(useOf(pool)).toBe(untouched);
  });

  it('keeps none that takes longer to clear than to make', () => {
    const pages = poolBounds.memoryBytes / 65_536;
    const larger = poolOf(pages + 1);
    expect(useOf(larger)).not.toBe(useOf(larger));
    const largest = poolOf(pages);
    expect(useOf(largest)).toBe(useOf(largest));
  });

  it('keeps none while all that there are take more than their share, and keeps them again when those are gone', async () => {
    const pool = poolOf(1);
    const others: Loan[] = Array.from({ length: poolBounds.allBytes / poolBounds.memoryBytes + 1 }, () => {
      const loan = poolOf(poolBounds.memoryBytes / 65_536).lend();
      loan.take('main');
      return loan;
    });
    expect(others.length).toBeGreaterThan(1);
    expect(useOf(pool)).not.toBe(useOf(pool));
    others.splice(0);
    setFlagsFromString('--expose-gc');
    await expect
      .poll(() => {
        runInNewContext('gc()');
        return useOf(pool) === useOf(pool);
      })
      .toBe(true);
  });

  it('gives a module without a memory of its own none', () => {
    expect(poolOf(1).lend().take('adapter')).toBeNull();
  });

  it('lets go what nobody has', () => {
    const pool = poolOf(1);
    const first = useOf(pool);
    pool.clear();
    expect(useOf(pool)).not.toBe(first);
  });
});
