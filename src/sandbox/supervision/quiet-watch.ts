/** Notices when nothing has happened for a while. */
export interface QuietWatch {
  /** Something has happened: the pause begins anew. */
  touch(): void;
  stop(): void;
}

/** Calls back once after each pause of `ms`. It keeps one timer, however often it is touched: events pay nothing. */
export function createQuietWatch(ms: number, onQuiet: () => void): QuietWatch {
  let timer: NodeJS.Timeout | null = null;
  let quietAt = 0;
  const fire = (): void => {
    timer = null;
    const left = quietAt - performance.now();
    if (left > 0) timer = setTimeout(fire, Math.ceil(left));
    else onQuiet();
  };
  return {
    touch() {
      quietAt = performance.now() + ms;
      timer ??= setTimeout(fire, ms);
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
