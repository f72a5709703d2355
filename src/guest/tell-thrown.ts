import { write } from 'hookvisor:hook/log@0.1.0';

/** Maximum length of an exception's text and of its location, so that both fit into one log message. */
const mostChars = 800;
const placeChars = 150;

/**
 * Runs a handler. A component can only trap, so the exception itself would be lost: this writes it to the log first.
 */
export function tellThrown<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    tell(error);
    throw error;
  }
}

function tell(error: unknown): void {
  try {
    write('error', `the handler threw ${String(error).slice(0, mostChars)}${placeOf(error)}`);
  } catch {
    write('error', 'the handler threw something that cannot be printed');
  }
}

/** Returns the location of the exception in the compiled JavaScript. */
function placeOf(error: unknown): string {
  const stack = error instanceof Error ? error.stack : undefined;
  const [first = ''] = stack?.trim().split('\n') ?? [];
  return first === '' ? '' : ` ${first.slice(0, placeChars)}`;
}
