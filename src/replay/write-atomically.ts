import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a file atomically and durably, with the mode and owner of the file `like`. Rejects with the error of the
 * system.
 */
export async function writeAtomically(file: string, bytes: Buffer, like: string): Promise<void> {
  const { mode, uid, gid } = await stat(like);
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}`);
  try {
    {
      await using handle = await open(temporary, 'wx', 0o600);
      await handle.writeFile(bytes);
      await handle.chown(uid, gid);
      await handle.chmod(mode & 0o777);
      await handle.sync();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await using folder = await open(dirname(file), 'r');
  await folder.sync();
}
