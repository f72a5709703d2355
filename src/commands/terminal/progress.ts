import type { Stream } from './terminal.js';

/** A counter on a terminal; prints nothing elsewhere. */
export interface Progress {
  readonly at: (count: number) => void;
  /** Clears the line. */
  readonly end: () => void;
}

/** Often enough to show progress. */
const intervalMs = 100;

export function createProgress(stream: Stream, { what, quiet }: { what: string; quiet: boolean }): Progress {
  if (quiet || stream.columns === null) return { at: () => undefined, end: () => undefined };
  const began = performance.now();
  let shown = -Infinity;
  return {
    at(count) {
      const now = performance.now();
      if (now - shown < intervalMs) return;
      shown = now;
      const rate = Math.round(count / Math.max(0.001, (now - began) / 1_000));
      stream.write(`\r${count} ${what}, ${rate} per second\u001b[K`);
    },
    end() {
      if (shown !== -Infinity) stream.write('\r\u001b[K');
    },
  };
}
