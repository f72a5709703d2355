import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadConfig } from '../../runtime/config/load.js';
import { HookvisorError } from '../../contract/errors.js';

/** Returns the given journal folder, or that of the configuration. Throws HookvisorError when there is none. */
export async function journalFolder(given: string | undefined, configFile: string): Promise<string> {
  if (given !== undefined) {
    const dir = resolve(given);
    if (existsSync(dir)) return dir;
    throw new HookvisorError('usage', `Cannot read the journal '${dir}': it does not exist; specify a journal folder`);
  }
  const { journal, file } = await loadConfig(configFile);
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
