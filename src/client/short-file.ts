import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

export interface ShortFile {
  /** The beginning of the file, at most as many bytes as requested. */
  readonly bytes: Buffer;
  readonly stats: Stats;
}

/** Reads the beginning of a file. Never waits for a FIFO. Throws the system's error. */
export function readShortFile(path: string, most: number): ShortFile {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const bytes = Buffer.alloc(most);
    let size = 0;
    for (let got = 1; got > 0 && size < most; size += got) got = readSync(fd, bytes, size, most - size, null);
    return { bytes: bytes.subarray(0, size), stats: fstatSync(fd) };
  } finally {
    closeSync(fd);
  }
}
