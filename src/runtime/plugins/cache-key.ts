import { randomBytes } from 'node:crypto';
import { constants, link, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../contract/error-code.js';

const keyBytes = 32;
const keyName = 'key';

/**
 * Returns the key that authenticates the entries of a cache and that only the user of this process can read. Null if
 * there is none, or if another user wrote it or could have read it. Throws the errors of open(2).
 */
export async function readCacheKey(folder: string): Promise<Buffer | null> {
  try {
    // This process creates neither pipes nor links here, so another user did.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await using file = await open(join(folder, keyName), flags);
    const { uid, mode, size } = await file.stat();
    const isPrivate = uid === process.geteuid?.() && (mode & 0o7777) === 0o600;
    if (!isPrivate || size !== keyBytes) return null;
    const key = await file.readFile();
    return key.length === keyBytes ? key : null;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ELOOP')) return null;
    throw error;
  }
}

/**
 * Replaces a key that {@link readCacheKey} rejected. Returns the resulting key, which another process may have created
 * first; null if it still cannot be used.
 */
export async function makeCacheKey(folder: string): Promise<Buffer | null> {
  const path = join(folder, keyName);
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    {
      await using file = await open(temporary, flags, 0o600);
      await file.chmod(0o600);
      await file.writeFile(randomBytes(keyBytes));
      await file.sync();
    }
    if (!(await linkIfVacant(temporary, path)) && (await readCacheKey(folder)) === null) {
      await rm(path, { force: true });
      await linkIfVacant(temporary, path);
    }
  } finally {
    await rm(temporary, { force: true });
  }
  return readCacheKey(folder);
}

/** Uses link(2), because rename(2) would replace a key that another process has just created. */
async function linkIfVacant(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}
