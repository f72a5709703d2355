/**
 * Combines concurrent requests for `sync` into one run. The returned function settles like a run that starts after the
 * call. Runs never overlap.
 */
export function createGroupCommit(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  return () => {
    next ??= running.then(async () => {
      const run = next;
      next = null;
      // Later callers need another run: this one may miss what they have written.
      running = (run ?? Promise.resolve()).catch(() => undefined);
      await sync();
    });
    return next;
  };
}
