import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hookvisor-test-'));
  onTestFinished(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/** Writes a file below `dir` and gives its path. */
export async function write(dir: string, name: string, text: string | Uint8Array): Promise<string> {
  const path = join(dir, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

/** Writes an executable POSIX shell script below `dir` and gives its path. */
export async function writeScript(dir: string, name: string, body: string): Promise<string> {
  const path = await write(dir, name, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}
