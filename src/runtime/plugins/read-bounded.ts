import { constants, type FileHandle, open } from 'node:fs/promises';

/** What stands at a path: the bytes of a file, or why they were not read. */
export type BoundedFile =
  | { readonly found: 'file'; readonly bytes: Buffer }
  | { readonly found: 'too-large'; readonly size: number }
  | { readonly found: 'folder' }
  | { readonly found: 'special' };

/**
 * Reads a regular file of at most `most` bytes. Of a larger one nothing is read, and of one that grows meanwhile no more
 * than one byte above the bound. Throws what opening and reading throw.
 */
export async function readBounded(
  path: string,
  most: number,
  // A pipe in the place of the file must not keep the caller waiting for its writer.
  openFile: () => Promise<FileHandle> = () => open(path, constants.O_RDONLY | constants.O_NONBLOCK),
): Promise<BoundedFile> {
  await using file = await openFile();
  const stat = await file.stat();
  if (stat.isDirectory()) return { found: 'folder' };
  if (!stat.isFile()) return { found: 'special' };
  if (stat.size > most) return { found: 'too-large', size: stat.size };
  const pieces: Buffer[] = [];
  let size = 0;
  // `end` is the last byte that is read, not the one after it.
  for await (const piece of file.createReadStream({ autoClose: false, end: most, highWaterMark: 1024 ** 2 })) {
    // A stream without an encoding gives buffers; its type does not say so.
    const bytes = piece as Buffer;
    pieces.push(bytes);
    size += bytes.length;
  }
  return size > most ? { found: 'too-large', size } : { found: 'file', bytes: Buffer.concat(pieces, size) };
}
