import { constants, type FileHandle, open } from 'node:fs/promises';

/** The content of a file, or why it was not read. */
export type BoundedFile =
  | { readonly found: 'file'; readonly bytes: Buffer }
  | { readonly found: 'too-large'; readonly size: number }
  | { readonly found: 'folder' }
  | { readonly found: 'special' };

/**
 * Reads a regular file of at most `most` bytes. Reads nothing of a larger file, and at most one byte above the bound of
 * a file that grows meanwhile. Throws the errors of opening and reading.
 */
export async function readBounded(
  path: string,
  most: number,
  // If the path is a pipe, do not wait for its writer.
  openFile: () => Promise<FileHandle> = () => open(path, constants.O_RDONLY | constants.O_NONBLOCK),
): Promise<BoundedFile> {
  await using file = await openFile();
  const stat = await file.stat();
  if (stat.isDirectory()) return { found: 'folder' };
  if (!stat.isFile()) return { found: 'special' };
  if (stat.size > most) return { found: 'too-large', size: stat.size };
  const pieces: Buffer[] = [];
  let size = 0;
  // `end` is inclusive.
  for await (const piece of file.createReadStream({ autoClose: false, end: most, highWaterMark: 1024 ** 2 })) {
    // A stream without an encoding yields buffers, although its type does not say so.
    const bytes = piece as Buffer;
    pieces.push(bytes);
    size += bytes.length;
  }
  return size > most ? { found: 'too-large', size } : { found: 'file', bytes: Buffer.concat(pieces, size) };
}
