import { stat } from 'node:fs/promises';
import { HookvisorError } from '../errors.js';
import { verifyJournal } from '../journal/verify.js';

/**
 * Makes sure that a journal says what was written before anything is concluded from it. A torn end, as after a crash, is
 * not bad. Throws HookvisorError `journal` with the place of the first bad record. A file is not looked at.
 */
export async function checkSource(source: string): Promise<void> {
  const found = await stat(source).catch(() => null);
  if (found?.isDirectory() !== true) return;
  const { bad } = await verifyJournal(source);
  if (bad === null) return;
  const { file, line, problem } = bad;
  throw new HookvisorError(
    'journal',
    `Cannot replay '${source}': in '${file}', line ${line}: ${problem}; replay a copy without it, or an older one`,
    { fields: { file, line } },
  );
}
