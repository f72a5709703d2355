import type { HookEvent } from '../event.js';
import { toHookArguments } from '../libvirt/call.js';
import type { CheckResult, FailingSequence } from '../lifecycle/check.js';
import { oneLine } from '../text.js';
import { printable } from './printable.js';
import type { Stream } from './terminal.js';

/** What `hookvisor check-lifecycle --json` prints. The calls are those of a file of captured calls. */
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

/** The result for people: what went wrong, after which calls, with which document, and how to see it again. */
export function lifecycleText(result: CheckResult, { file, out }: { readonly file: string; out: Stream }): string {
  const { seed, runs, calls, asked, mostFuel, failing } = result;
  const summary =
    `${runs} sequences, ${calls} hook calls, asked about ${asked} (twice each), ` +
    `at most ${mostFuel} fuel; seed ${seed}\n`;
  if (failing === null) {
    const nothing =
      asked === 0 ? `\n${out.paint('yellow', 'it was asked about nothing: see --events and routes')}\n` : '';
    return `${out.paint('green', 'ok')}  ${oneLine(file, 200)}: ${summary}${nothing}`;
  }
  return `${failingText(failing, file, out)}\n${summary}again: hookvisor check-lifecycle … --seed ${seed}\n`;
}

function failingText({ violation, played, plan, found }: FailingSequence, file: string, out: Stream): string {
  const last = played.calls.at(-1)?.call ?? null;
  const growths = plan.guests.flatMap((guest) => guest.growths.map(({ name }) => name));
  return [
    `${out.paint('red', violation.kind)}  ${oneLine(file, 200)}: ${oneLine(violation.what, 1_200)}\n\n`,
    `the shortest sequence (${played.calls.length} calls, found with ${found}):\n`,
    ...played.calls.map(({ call, step }, at) => {
      const mark = at === played.calls.length - 1 ? out.paint('red', '>') : ' ';
      return `${mark} ${callText(call.event)}  ${out.paint('dim', step.action)}\n`;
    }),
    ...(growths.length > 0 ? [`grown by: ${[...new Set(growths)].join(', ')}\n`] : []),
    last?.document === null || last === null ? '' : `\n${documentText(last.document)}\n`,
  ].join('');
}

function callText(event: HookEvent): string {
  return oneLine(`${event.driver} ${toHookArguments(event).map(quoted).join(' ')}`, 200);
}

function quoted(word: string): string {
  return /^[\w.:-]+$/u.test(word) ? word : `'${word}'`;
}

/** As much as anybody reads on a terminal; --json has all. */
const mostChars = 4_000;

function documentText(document: Buffer): string {
  const text = printable(document.toString('utf8').trimEnd());
  return text.length <= mostChars ? text : `${text.slice(0, mostChars)}\n… (--json has all of it)`;
}
