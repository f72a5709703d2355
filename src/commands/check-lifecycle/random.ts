/** Random numbers determined by a seed, the same on every machine. */
export interface Random {
  /** Returns an integer from 0 (inclusive) to `below` (exclusive). */
  int(below: number): number;
  /** Returns true once in `times` calls on average. */
  oneIn(times: number): boolean;
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
}

/** Creates a Mulberry32 generator: 32 bits of state are enough for test cases. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    oneIn: (times) => int(times) === 0,
    pick: (items) => items[int(items.length)] ?? items[0],
  };
}

/** Derives the seed of part `at` from `seed`. */
export function seedOf(seed: number, at: number): number {
  return (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(at + 1, 0xc2b2ae35)) >>> 0;
}
