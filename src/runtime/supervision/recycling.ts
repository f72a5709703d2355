import type { RunnerUsage } from '../../contract/messages.js';

/** How much a runner may use before another process replaces it. */
export interface RecycleLimits {
  /** CPU time since its start; stays below the limit that the kernel kills at. */
  readonly cpuMs: number;
  /** Growth of its resident memory since it loaded its plug-ins. */
  readonly growthBytes: number;
}

/** The launcher allows a runner a week of CPU time. */
export const recycleLimits: RecycleLimits = { cpuMs: 500_000_000, growthBytes: 256 * 1024 * 1024 };

/** Returns why a runner should be replaced, or null. Garbage collection may free memory, but CPU time never comes back. */
export function recycleReason(
  usage: RunnerUsage,
  fresh: RunnerUsage,
  bounds: RecycleLimits,
): { readonly what: 'cpu' | 'memory'; readonly why: string } | null {
  if (usage.cpuMs > bounds.cpuMs) {
    return { what: 'cpu', why: `it has used ${Math.round(usage.cpuMs / 1_000)} s of CPU time` };
  }
  const grown = usage.rssBytes - fresh.rssBytes;
  if (grown <= bounds.growthBytes) return null;
  return { what: 'memory', why: `its memory has grown by ${Math.round(grown / 1_048_576)} MiB` };
}
