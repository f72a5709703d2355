import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBounded } from '../../../src/runtime/plugins/read-bounded.js';
import { temporaryFolder } from '../../support/temp.js';

async function fileOf(bytes: Buffer): Promise<string> {
  const path = join(temporaryFolder(), 'file');
  await writeFile(path, bytes);
  return path;
}

describe('readBounded', () => {
  it('reads a file up to its bound, whole', async () => {
    const bytes = createHash('shake256', { outputLength: 3_000_000 }).update('any').digest();
    const file = await fileOf(bytes);
    const read = await readBounded(file, 3_000_000);
    // Comparing millions of bytes one by one takes the test's library seconds.
    expect(read.found === 'file' && read.bytes.equals(bytes)).toBe(true);
    expect(await readBounded(file, 2_999_999)).toEqual({ found: 'too-large', size: 3_000_000 });
    expect(await readBounded(await fileOf(Buffer.alloc(0)), 1)).toEqual({ found: 'file', bytes: Buffer.alloc(0) });
  });

  it('reads nothing of a file that takes longer to read than anybody waits', async () => {
    const file = await fileOf(Buffer.alloc(0));
    await truncate(file, 2 ** 42);
    expect(await readBounded(file, 1024)).toEqual({ found: 'too-large', size: 2 ** 42 });
  });

  it('reads one byte above the bound of a file that says it is smaller', async () => {
    // Its size is said to be 0, as that of a file which grows after it was looked at.
    expect(await readBounded('/proc/self/limits', 10)).toEqual({ found: 'too-large', size: 11 });
  });

  it('waits for no writer of a pipe, and reads no folder or device', async () => {
    const pipe = join(temporaryFolder(), 'pipe');
    execFileSync('sh', ['-c', 'mkfifo "$0"', pipe]);
    expect(await readBounded(pipe, 10)).toEqual({ found: 'special' });
    expect(await readBounded('/dev/zero', 10)).toEqual({ found: 'special' });
    expect(await readBounded('/tmp', 10)).toEqual({ found: 'folder' });
    await expect(readBounded('/nowhere', 10)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
