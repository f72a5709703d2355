import type { Stream } from './terminal.js';

/** A line that counts on a terminal, and nothing anywhere else. */
export interface Progress {
  readonly at: (count: number) => void;
  /** Takes the line away. */
  readonly end: () => void;
}

/** Often enough to see that something happens. */
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
      stream.write(`\r${count} ${what}, ${rate} a second\u001b[K`);
    },
    end() {
      if (shown !== -Infinity) stream.write('\r\u001b[K');
    },
  };
}
