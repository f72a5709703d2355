import { watch } from 'node:fs/promises';
import { sep } from 'node:path';

/** Changes arrive in bursts: an editor writes a file in several steps. */
const settleMs = 150;

/** Folders that builds and package managers change. */
const ignored = new Set(['build', 'node_modules', '.git', 'target']);

/**
 * Calls `onChange` with the paths that changed below a folder, one burst at a time and never concurrently, until the
 * signal aborts.
 */
export async function watchFolder(
  folder: string,
  { signal, onChange }: { signal: AbortSignal; onChange: (paths: ReadonlySet<string>) => Promise<void> },
): Promise<void> {
  let changed = new Set<string>();
  let running = Promise.resolve();
  let timer: NodeJS.Timeout | null = null;
  const settled = (): void => {
    const paths = changed;
    changed = new Set();
    running = running.then(() => onChange(paths));
  };
  try {
    for await (const { filename } of watch(folder, { recursive: true, signal })) {
      if (filename === null || ignored.has(filename.split(sep)[0] ?? '')) continue;
      changed.add(filename);
      if (timer !== null) clearTimeout(timer);
      timer = setTimeout(settled, settleMs);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    if (timer !== null) clearTimeout(timer);
    await running;
  }
}
