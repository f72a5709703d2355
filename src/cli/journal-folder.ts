import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadConfig } from '../config/load.js';
import { HookvisorError } from '../errors.js';

/** The journal's folder that is named, or that the configuration names. Throws HookvisorError when there is none. */
export async function journalFolder(given: string | undefined, configFile: string): Promise<string> {
  if (given !== undefined) {
    const dir = resolve(given);
    if (existsSync(dir)) return dir;
    throw new HookvisorError('usage', `Cannot read the journal '${dir}': it does not exist; name a journal's folder`);
  }
  const { journal, file } = await loadConfig(configFile);
  if (journal === null) {
    throw new HookvisorError('usage', `Cannot read a journal: '${file}' turns it off; remove 'journal: false' there`);
  }
  if (!existsSync(journal.dir)) {
    throw new HookvisorError(
      'usage',
      `Cannot read the journal '${journal.dir}': it does not exist; it is made when 'hookvisor serve' starts`,
    );
  }
  return journal.dir;
}
