/** Counts the warm instances in a runner and decides which plug-in needs another. Creates nothing itself. */
export interface WarmPool {
  /** Starts counting for a plug-in. */
  add(handler: number): void;
  remove(handler: number): void;
  /** Reports that an event has used an instance, if there was one. */
  used(handler: number): void;
  /** Reports an attempt to create an instance. If `made` is false, the plug-in gets none until it is used again. */
  prepared(handler: number, result: { readonly made: boolean; readonly tookMs: number }): void;
  /** Returns the eligible plug-in with the fewest instances that needs another, or null. */
  next(isEligible: (handler: number) => boolean): number | null;
  /** Reports that the runner is idle: each plug-in keeps one instance until it is used again. */
  shrink(): void;
  /** Reports that a new process, without instances, has taken over. */
  reset(): void;
}

/** Numbers of instances to keep: of plug-ins that instantiate within `cheapMs`, of others, and in an idle runner. */
export const warmInstances = { cheap: 8, expensive: 2, idle: 1 } as const;
const cheapMs = 0.3;

export function createWarmPool(): WarmPool {
  const pools = new Map<number, { ready: number; wanted: number; tookMs: number }>();
  return {
    add: (handler) => void pools.set(handler, { ready: 0, wanted: warmInstances.expensive, tookMs: Infinity }),
    remove: (handler) => void pools.delete(handler),
    used(handler) {
      const one = pools.get(handler);
      if (one === undefined) return;
      one.ready = Math.max(0, one.ready - 1);
      one.wanted = one.tookMs < cheapMs ? warmInstances.cheap : warmInstances.expensive;
    },
    prepared(handler, { made, tookMs }) {
      const one = pools.get(handler);
      if (one === undefined) return;
      if (!made) {
        one.wanted = 0;
        return;
      }
      one.ready += 1;
      // The first instances are slow because nothing is compiled yet. The fastest shows what the plug-in costs.
      one.tookMs = Math.min(one.tookMs, tookMs);
      if (one.wanted > warmInstances.idle && one.tookMs < cheapMs) one.wanted = warmInstances.cheap;
    },
    next(isEligible) {
      const short = [...pools].filter(([handler, { ready, wanted }]) => ready < wanted && isEligible(handler));
      const [fewest] = short.sort(([, a], [, b]) => a.ready - b.ready);
      return fewest?.[0] ?? null;
    },
    shrink() {
      for (const one of pools.values()) {
        one.wanted = Math.min(one.wanted, warmInstances.idle);
        one.ready = Math.min(one.ready, warmInstances.idle);
      }
    },
    reset() {
      for (const one of pools.values()) one.ready = 0;
    },
  };
}
