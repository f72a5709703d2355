/** Which plugins of a runner have instances at hand, and which needs one more. It only counts; it makes nothing. */
export interface Spares {
  /** Counts a plugin from now on. */
  add(handler: number): void;
  remove(handler: number): void;
  /** An event has taken one, if there was one. */
  used(handler: number): void;
  /** One was made ahead; `made` is false when it could not be, and then the plugin gets none until it is used again. */
  prepared(handler: number, result: { readonly made: boolean; readonly tookMs: number }): void;
  /** The plugin with the fewest, of those that should have more and may be given one, or null. */
  next(may: (handler: number) => boolean): number | null;
  /** Nothing has happened for long: each keeps one until it is used again. */
  rest(): void;
  /** Another process, which has none. */
  reset(): void;
}

/** Made ahead of what instantiates quicker than `cheapMs`, of others, and of those in an idle runner. */
export const sparesFor = { cheap: 8, expensive: 2, resting: 1 } as const;
const cheapMs = 0.3;

export function createSpares(): Spares {
  const counted = new Map<number, { atHand: number; wanted: number; tookMs: number }>();
  return {
    add: (handler) => void counted.set(handler, { atHand: 0, wanted: sparesFor.expensive, tookMs: Infinity }),
    remove: (handler) => void counted.delete(handler),
    used(handler) {
      const one = counted.get(handler);
      if (one === undefined) return;
      one.atHand = Math.max(0, one.atHand - 1);
      one.wanted = one.tookMs < cheapMs ? sparesFor.cheap : sparesFor.expensive;
    },
    prepared(handler, { made, tookMs }) {
      const one = counted.get(handler);
      if (one === undefined) return;
      if (!made) {
        one.wanted = 0;
        return;
      }
      one.atHand += 1;
      // The first ones are slow because nothing is compiled yet; the quickest tells what the plugin costs.
      one.tookMs = Math.min(one.tookMs, tookMs);
      if (one.wanted > sparesFor.resting && one.tookMs < cheapMs) one.wanted = sparesFor.cheap;
    },
    next(may) {
      const short = [...counted].filter(([handler, { atHand, wanted }]) => atHand < wanted && may(handler));
      const [fewest] = short.sort(([, a], [, b]) => a.atHand - b.atHand);
      return fewest?.[0] ?? null;
    },
    rest() {
      for (const one of counted.values()) {
        one.wanted = Math.min(one.wanted, sparesFor.resting);
        one.atHand = Math.min(one.atHand, sparesFor.resting);
      }
    },
    reset() {
      for (const one of counted.values()) one.atHand = 0;
    },
  };
}
