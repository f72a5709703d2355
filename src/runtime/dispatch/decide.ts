import type { Outcome } from '../../contract/outcome.js';
import { bounds } from '../../contract/limits.js';
import { oneLine } from '../../contract/text.js';
import { consult, type ConsultOptions } from './consult.js';
import type { LoadedHandler } from './loaded-handler.js';
import type { HandlerRecord } from '../../contract/verdict.js';

/** The decision of an enforcing handler, after its failure policy was applied. */
export interface Decision {
  readonly outcome: Outcome;
  /** The handler that decided: the handler itself or its fallback. */
  readonly by: LoadedHandler;
  readonly records: readonly HandlerRecord[];
}

/**
 * Asks an enforcing handler and applies its failure policy: `fail` denies, `ignore` allows, `fallback` asks another
 * handler under its own grants and failure policy.
 */
export async function decide(options: Omit<ConsultOptions, 'mode' | 'fallbackFor'>): Promise<Decision> {
  const records: HandlerRecord[] = [];
  const asked = new Set<string>();
  let loaded = options.loaded;
  let fallbackFor: string | null = null;
  for (;;) {
    asked.add(loaded.config.name);
    const { outcome, record } = await consult({
      loaded,
      call: options.call,
      original: options.original,
      checkReplacement: options.checkReplacement,
      allowance: options.allowance ?? null,
      mode: 'enforce',
      fallbackFor,
    });
    records.push(record);
    if (outcome !== null) return { outcome, by: loaded, records };
    const { policy } = loaded.config.failurePolicy;
    if (policy === 'ignore') return { outcome: { outcome: 'allow' }, by: loaded, records };
    const next: LoadedHandler | null = policy === 'fallback' ? loaded.fallback : null;
    if (next === null || asked.has(next.config.name)) {
      const reason = oneLine(`cannot decide: ${record.reason ?? ''}`, bounds.reasonChars);
      return { outcome: { outcome: 'deny', reason }, by: loaded, records };
    }
    fallbackFor = loaded.config.name;
    loaded = next;
  }
}
