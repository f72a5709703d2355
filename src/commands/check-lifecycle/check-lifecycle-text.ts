import type { HookEvent } from '../../contract/event.js';
import { toHookArguments } from '../../runtime/libvirt/call.js';
import type { CheckResult, FailingSequence } from './check.js';
import { oneLine } from '../../contract/text.js';
import { printable } from '../terminal/printable.js';
import type { Stream } from '../terminal/terminal.js';

/** Returns what `hookvisor check-lifecycle --json` prints. The calls have the format of captured calls. */
export function lifecycleJson({ failing, ...counts }: CheckResult): object {
  if (failing === null) return { ...counts, failing: null };
  const { run, violation, found, plan, played } = failing;
  return {
    ...counts,
    failing: {
      run,
      violation: violation.kind,
      what: violation.what,
      found,
      guests: plan.guests,
      calls: played.calls.map(({ call: { event, document }, step }) => ({
        action: step.action,
        driver: event.driver,
        argv: toHookArguments(event),
        time: event.time,
        id: event.id,
        stdin: document?.toString('utf8') ?? null,
      })),
    },
  };
}

/** Formats the result for people: what went wrong, after which calls, with which document, and how to repeat it. */
export function lifecycleText(result: CheckResult, { file, out }: { readonly file: string; out: Stream }): string {
  const { seed, runs, calls, asked, mostFuel, failing } = result;
  const summary =
    `${runs} sequences, ${calls} hook calls, ${asked} evaluated (twice each), ` +
    `at most ${mostFuel} fuel; seed ${seed}\n`;
  if (failing === null) {
    const nothing =
      asked === 0 ? `\n${out.paint('yellow', 'the plug-in was never called: check --events and the routes')}\n` : '';
    return `${out.paint('green', 'ok')}  ${oneLine(file, 200)}: ${summary}${nothing}`;
  }
  return `${failingText(failing, file, out)}\n${summary}repeat with: hookvisor check-lifecycle … --seed ${seed}\n`;
}

function failingText({ violation, played, plan, found }: FailingSequence, file: string, out: Stream): string {
  const last = played.calls.at(-1)?.call ?? null;
  const growths = plan.guests.flatMap((guest) => guest.growths.map(({ name }) => name));
  return [
    `${out.paint('red', violation.kind)}  ${oneLine(file, 200)}: ${oneLine(violation.what, 1_200)}\n\n`,
    `shortest failing sequence (${played.calls.length} calls, reduced from ${found}):\n`,
    ...played.calls.map(({ call, step }, at) => {
      const mark = at === played.calls.length - 1 ? out.paint('red', '>') : ' ';
      return `${mark} ${callText(call.event)}  ${out.paint('dim', step.action)}\n`;
    }),
    ...(growths.length > 0 ? [`additions to the documents: ${[...new Set(growths)].join(', ')}\n`] : []),
    last?.document === null || last === null ? '' : `\n${documentText(last.document)}\n`,
  ].join('');
}

function callText(event: HookEvent): string {
  return oneLine(`${event.driver} ${toHookArguments(event).map(quoted).join(' ')}`, 200);
}

function quoted(word: string): string {
  return /^[\w.:-]+$/u.test(word) ? word : `'${word}'`;
}

/** More than this is unreadable on a terminal; --json prints everything. */
const mostChars = 4_000;

function documentText(document: Buffer): string {
  const text = printable(document.toString('utf8').trimEnd());
  return text.length <= mostChars ? text : `${text.slice(0, mostChars)}\n… (use --json to see all of it)`;
}
