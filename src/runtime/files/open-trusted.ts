import { constants, type FileHandle, open } from 'node:fs/promises';
import { distrustError } from './distrust.js';
import type { PathTrust } from './path-trust.js';

/**
 * Opens a file for reading that only root and the user of this process can change. `use` describes its purpose in
 * messages. Examines the folders first, and then the open file, so that exactly the examined file is read. Throws
 * HookvisorError `untrusted`, or the errors of lstat(2) and open(2).
 */
export async function openTrusted(path: string, use: string, trust: PathTrust): Promise<FileHandle> {
  const { real, stats, error, distrust } = await trust.examine(path);
  const refuse = (found: typeof distrust): Error =>
    distrustError(
      `use '${path}'`,
      found.map((one) => ({ use, distrust: one })),
    );
  if (distrust.length > 0) throw refuse(distrust);
  if (stats === null) throw error;
  // If the path is a pipe, do not wait for its writer.
  const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const judged = trust.judge(real, await handle.stat());
    if (judged !== null) throw refuse([judged]);
    return handle;
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}
