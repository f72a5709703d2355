import { stat } from 'node:fs/promises';
import { HookvisorError } from '../../contract/errors.js';
import { verifyJournal } from '../../runtime/journal/verify.js';

/**
 * Verifies a journal before a replay relies on it. A torn end, as after a crash, is accepted. Throws HookvisorError
 * `journal` with the position of the first bad record. Files of captured calls are not verified.
 */
export async function checkSource(source: string): Promise<void> {
  const found = await stat(source).catch(() => null);
  if (found?.isDirectory() !== true) return;
  const { bad } = await verifyJournal(source);
  if (bad === null) return;
  const { file, line, problem } = bad;
  throw new HookvisorError(
    'journal',
    `Cannot replay '${source}': in '${file}', line ${line}: ${problem}; replay an intact copy`,
    { fields: { file, line } },
  );
}
