/** Reports when nothing has happened for a while. */
export interface IdleTimer {
  /** Restarts the pause. */
  touch(): void;
  stop(): void;
}

/** Calls back once after each pause of `ms`. It keeps one timer, however often it is touched, so events cost nothing. */
export function createIdleTimer(ms: number, onIdle: () => void): IdleTimer {
  let timer: NodeJS.Timeout | null = null;
  let idleAt = 0;
  const fire = (): void => {
    timer = null;
    const left = idleAt - performance.now();
    if (left > 0) timer = setTimeout(fire, Math.ceil(left));
    else onIdle();
  };
  return {
    touch() {
      idleAt = performance.now() + ms;
      timer ??= setTimeout(fire, ms);
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
