import { constants, type FileHandle, open } from 'node:fs/promises';
import { distrustError } from './distrust.js';
import type { PathTrust } from './path-trust.js';

/**
 * Opens a file for reading that only root and this process' user can change. `use` is what it is used as, for the message.
 * Its folders are examined first; the file is then judged by its descriptor, so what is read is what was judged. Throws
 * HookvisorError `untrusted`, or what lstat(2) and open(2) throw.
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
  // A pipe in the place of the file must not keep the caller waiting for its writer.
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
