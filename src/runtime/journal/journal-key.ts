import { randomBytes } from 'node:crypto';
import { closeSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPrivateSync } from '../files/open-private.js';
import { writeAtomic } from '../files/write-atomic.js';
import { hasCode } from '../../contract/error-code.js';

const keyBytes = 32;

/**
 * Returns the key of the journal from its file `key` (0600), and creates it if it is missing. Throws HookvisorError
 * `untrusted`, or the error of the system.
 */
export function journalKey(dir: string): Buffer {
  const path = join(dir, 'key');
  const known = readKey(path);
  // A full disk may have left it empty; nothing depends on the old key then.
  if (known?.length === keyBytes) return known;
  const key = randomBytes(keyBytes);
  writeAtomic(path, key, { mode: 0o600 });
  return key;
}

function readKey(path: string): Buffer | null {
  let file: number;
  try {
    file = openPrivateSync(path, constants.O_RDONLY);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}
