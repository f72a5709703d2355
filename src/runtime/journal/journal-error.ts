import { HookvisorError, messageOf } from '../../contract/errors.js';

/** Creates the error of an unusable journal; `action` and `path` as in "Cannot open the journal '/x'". */
export function cannot(action: string, path: string, cause: unknown): HookvisorError {
  const advice = 'check the owner and free space of its folder, or set journal.dir in the configuration';
  return new HookvisorError('journal', `Cannot ${action} the journal '${path}': ${messageOf(cause)}; ${advice}`, {
    cause,
    fields: { file: path },
  });
}
