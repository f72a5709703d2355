import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from './journal-error.js';

const keyBytes = 32;

/** The journal's own key, in its file `key` (0600), which is made if missing. Throws the system's error. */
export function journalKey(dir: string): Buffer {
  const path = join(dir, 'key');
  try {
    const key = readFileSync(path);
    // A crash may have left it empty: nothing needs the old one.
    if (key.length === keyBytes) return key;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  const key = randomBytes(keyBytes);
  writeFileSync(path, key, { mode: 0o600 });
  return key;
}
