import type { RunnerUsage } from '../protocol/messages.js';

/** When a runner's process has served long enough. */
export interface WearBounds {
  /** CPU time since its start; stays below the limit that the kernel kills at. */
  readonly cpuMs: number;
  /** Growth of its resident memory since it had loaded its plugins. */
  readonly growthBytes: number;
}

/** The launcher lets a runner compute for a week. */
export const wearBounds: WearBounds = { cpuMs: 500_000_000, growthBytes: 256 * 1024 * 1024 };

/** What is worn out, in words, or null. Memory may still be garbage, CPU time never comes back. */
export function wornOut(
  usage: RunnerUsage,
  fresh: RunnerUsage,
  bounds: WearBounds,
): { readonly what: 'cpu' | 'memory'; readonly why: string } | null {
  if (usage.cpuMs > bounds.cpuMs) {
    return { what: 'cpu', why: `it has used ${Math.round(usage.cpuMs / 1_000)} s of CPU time` };
  }
  const grown = usage.rssBytes - fresh.rssBytes;
  if (grown <= bounds.growthBytes) return null;
  return { what: 'memory', why: `its memory has grown by ${Math.round(grown / 1_048_576)} MiB` };
}
