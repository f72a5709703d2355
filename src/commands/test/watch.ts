import { relative } from 'node:path';
import { watch } from 'chokidar';
import { isGenerated } from './project-sources.js';

/** Changes arrive in bursts: an editor writes a file in several steps. */
const settleMs = 150;

/**
 * Calls `onChange` with the paths that changed below a folder, one burst at a time and never concurrently, until the
 * signal aborts. Also notices files that an editor replaces by renaming another one.
 */
export async function watchFolder(
  folder: string,
  { signal, onChange }: { signal: AbortSignal; onChange: (paths: ReadonlySet<string>) => Promise<void> },
): Promise<void> {
  let changed = new Set<string>();
  let running = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const settled = (): void => {
    const paths = changed;
    changed = new Set();
    running = running.then(() => onChange(paths));
  };
  const isIgnored = (path: string): boolean => isGenerated(relative(folder, path));
  const watcher = watch(folder, { ignoreInitial: true, ignored: isIgnored });
  watcher.on('all', (_, path) => {
    changed.add(relative(folder, path));
    clearTimeout(timer);
    timer = setTimeout(settled, settleMs);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      watcher.once('error', reject);
      signal.addEventListener('abort', () => {
        resolve();
      });
      if (signal.aborted) resolve();
    });
  } finally {
    clearTimeout(timer);
    await watcher.close();
    await running;
  }
}
