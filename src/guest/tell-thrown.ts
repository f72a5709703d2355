import { write } from 'hookvisor:hook/log@0.1.0';

/** Of what was thrown, and of its place: a message of the log has room for both. */
const mostChars = 800;
const placeChars = 150;

/**
 * Runs a handler. A component can only trap, so what was thrown would be lost on the way out: it is written to the log
 * first.
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

/** Where it was thrown, in the JavaScript that the compiler made. */
function placeOf(error: unknown): string {
  const stack = error instanceof Error ? error.stack : undefined;
  const [first = ''] = stack?.trim().split('\n') ?? [];
  return first === '' ? '' : ` ${first.slice(0, placeChars)}`;
}
