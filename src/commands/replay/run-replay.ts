import type { Replay } from './replay-handlers.js';
import { inOrder } from './in-order.js';
import type { RecordedCall } from './recorded-call.js';
import { createTally, type Tally } from './tally.js';

export interface ReplayOptions {
  readonly calls: AsyncIterable<RecordedCall> | Iterable<RecordedCall>;
  readonly replay: Replay;
  /** Maximum number of events in flight. */
  readonly concurrency: number;
  /** Whether answers must be identical in every field. */
  readonly exact?: boolean;
  /** Called after each event with the number of events so far. */
  readonly onProgress?: (events: number) => void;
}

/** Decides recorded calls again and counts what changed. */
export async function runReplay(options: ReplayOptions): Promise<Tally> {
  const { calls, replay, concurrency, exact = false, onProgress = () => undefined } = options;
  const tally = createTally({ exact });
  let events = 0;
  for await (const replayed of inOrder(calls, concurrency, replay)) {
    tally.add(replayed);
    events += 1;
    onProgress(events);
  }
  return tally.result();
}
