import { randomBytes } from 'node:crypto';
import { constants, link, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../contract/error-code.js';

const keyBytes = 32;
const keyName = 'key';

/**
 * Returns the key that seals a cache's entries: one that only this process' user can read. Null when there is none, or
 * one that somebody else wrote or could have read. Throws what open(2) throws.
 */
export async function readCacheKey(folder: string): Promise<Buffer | null> {
  try {
    // A pipe or a link in its place is somebody else's.
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
 * Makes a key in place of one that {@link readCacheKey} did not take, and returns the one that is there in the end: another
 * process may have been quicker. Null when what is there still cannot be used.
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

/** Unlike rename(2), link(2) takes no key away that another process has just made. */
async function linkIfVacant(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}
