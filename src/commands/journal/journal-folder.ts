import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { defaultSocket } from '../../runtime/config/defaults.js';
import { loadConfig } from '../../runtime/config/load.js';
import { hasCode } from '../../contract/error-code.js';
import { HookvisorError } from '../../contract/errors.js';
import { askStatus } from '../ask-status.js';

/** Returns the given journal folder, or that of the configuration. Throws HookvisorError when there is none. */
export async function journalFolder(given: string | undefined, configFile: string): Promise<string> {
  if (given !== undefined) {
    const dir = resolve(given);
    if (existsSync(dir)) return dir;
    throw new HookvisorError('usage', `Cannot read the journal '${dir}': it does not exist; specify a journal folder`);
  }
  const config = await loadConfig(configFile).catch(async (error: unknown) => {
    const dir = await folderInUse(error);
    if (dir === null) throw error;
    return dir;
  });
  if (typeof config === 'string') return config;
  const { journal, file } = config;
  if (journal === null) {
    throw new HookvisorError('usage', `Cannot read a journal: '${file}' disables it; remove 'journal: false' there`);
  }
  if (!existsSync(journal.dir)) {
    throw new HookvisorError(
      'usage',
      `Cannot read the journal '${journal.dir}': it does not exist; 'hookvisor serve' creates it at start-up`,
    );
  }
  return journal.dir;
}

const part = z.object({ journal: z.object({ file: z.string() }).nullable() });

/** Asks the runtime for its journal when only root may read the configuration. */
async function folderInUse(error: unknown): Promise<string | null> {
  if (!(error instanceof HookvisorError) || !hasCode(error.cause, 'EACCES')) return null;
  const { status } = await askStatus({ socket: defaultSocket, timeoutMs: 5_000 }, part);
  return status.journal === null ? null : dirname(status.journal.file);
}
