/**
 * Makes one run of `sync` serve everybody who asked for it before it began. The function that it gives resolves when a
 * run that began after the call has ended, and rejects as that run did. Runs never overlap.
 */
export function createGroupCommit(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  return () => {
    next ??= running.then(async () => {
      const run = next;
      next = null;
      // Whoever asks from here on needs another run: what they wrote may be too late for this one.
      running = (run ?? Promise.resolve()).catch(() => undefined);
      await sync();
    });
    return next;
  };
}
