/** Random numbers that a seed decides, the same on every machine. */
export interface Random {
  /** A whole number from 0 up to, without, `below`. */
  int(below: number): number;
  /** True once in `times` times on average. */
  oneIn(times: number): boolean;
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
}

/** Mulberry32: 32 bits of state are plenty for cases that people read. */
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

/** A seed of its own for the part `at` of something that has `seed`. */
export function seedOf(seed: number, at: number): number {
  return (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(at + 1, 0xc2b2ae35)) >>> 0;
}
