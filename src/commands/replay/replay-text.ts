import type { Comparison } from './compared.js';
import type { ComparableAnswer } from './comparable-answer.js';
import type { ShownChange, Tally } from './tally.js';
import { oneLine } from '../../contract/text.js';
import { version } from '../../runtime/version.js';
import type { Stream } from '../terminal/terminal.js';

interface Shown {
  readonly exact: boolean;
  readonly seconds: number;
}

/** Returns what `hookvisor replay --json` prints. */
export function replayJson(tally: Tally, { exact, seconds }: Shown): object {
  const { changes, ...counts } = tally;
  return {
    version,
    exact,
    seconds: Number(seconds.toFixed(3)),
    ...counts,
    changes: changes.map(({ change, points, comparison: { event, handler, before, after, redacted } }) => ({
      change,
      ...(points.length > 0 && { points }),
      event,
      handler,
      before,
      after,
      redacted,
    })),
  };
}

/** Formats the result for people: the counts come last, where a terminal shows them. */
export function replayText(tally: Tally, shown: Shown & { readonly limit: number; readonly out: Stream }): string {
  const { out, limit } = shown;
  const listed = tally.changes.slice(0, limit);
  const more = tally.flips + tally.newFailures + tally.reworded + tally.differing - listed.length;
  return [
    ...listed.map((change) => changeText(change, out)),
    ...(listed.length > 0 && more > 0 ? [`… and ${more} more; --limit shows more, --json up to 1000\n`] : []),
    ...(listed.length > 0 ? ['\n'] : []),
    summaryText(tally, shown),
  ].join('');
}

const words: Readonly<Record<ShownChange['change'], string>> = {
  flip: 'FLIP',
  'new-failure': 'NEW FAILURE',
  reworded: 'reworded',
  'failed-now': 'FAILURE',
  differs: 'DIFFERS',
};

function changeText({ change, comparison, points }: ShownChange, out: Stream): string {
  const { event, handler, before, after } = comparison;
  const colour = change === 'reworded' ? 'yellow' : 'red';
  const what = `${event.driver} ${event.event} ${event.qualifier}`;
  const about = [
    out.paint(colour, words[change]),
    oneLine(what, 80),
    out.paint('bold', oneLine(event.name, 60)),
    handler === null ? '' : `by ${handler}`,
    out.paint('dim', `${new Date(event.time).toISOString()} ${oneLine(event.id, 64)}`),
    points.length > 0 ? `in ${points.join(', ')}` : '',
  ];
  const then = before === null ? '' : `  then  ${saidText(before)}\n`;
  return `${about.filter((part) => part !== '').join('  ')}\n${then}  now   ${saidText(after)}${hint(comparison)}\n`;
}

function saidText({ outcome, reason, failure, fuel }: ComparableAnswer): string {
  const said = outcome === null ? `failed (${failure ?? ''})` : outcome;
  const why = reason === null ? '' : `: ${oneLine(reason, 300)}`;
  return `${said}${why}${fuel === null ? '' : `  [fuel ${fuel}]`}`;
}

function hint({ redacted }: Comparison): string {
  return redacted ? '\n        (possibly because secrets were removed from the document)' : '';
}

function summaryText(tally: Tally, { exact, seconds, out }: Shown & { readonly out: Stream }): string {
  const { events, compared, same, flips, newFailures, reworded, differing, redacted, fuel, decidedNow } = tally;
  const left = Object.entries(tally.notComparable).sort(([, a], [, b]) => b - a);
  const decided = Object.entries(decidedNow);
  const bad = (count: number, text: string): string => (count > 0 ? out.paint('red', text) : text);
  const counts = exact
    ? `identical ${compared - differing}  ${bad(differing, `different ${differing}`)}`
    : `same ${same}  ${bad(flips, `flips ${flips}`)}  ${bad(newFailures, `new failures ${newFailures}`)}` +
      `  reworded ${reworded}`;
  return [
    `${events} events, ${compared} decisions in ${seconds.toFixed(1)} s\n`,
    ...(decided.length > 0
      ? [
          `no recorded decisions to compare with; now ${decided.map(([word, count]) => `${word} ${count}`).join('  ')}\n`,
        ]
      : [`${counts}\n`]),
    ...(fuel.answers > 0 ? [`fuel ${fuel.before} then, ${fuel.after} now${percentText(fuel)}\n`] : []),
    ...(redacted > 0 ? [`${redacted} documents had secrets removed\n`] : []),
    ...(left.length > 0 ? [`not comparable ${left.reduce((sum, [, count]) => sum + count, 0)}:\n`] : []),
    ...left.map(([why, count]) => `  ${String(count).padStart(6)}  ${oneLine(why, 200)}\n`),
  ].join('');
}

function percentText({ before, after }: Tally['fuel']): string {
  if (before === 0 || before === after) return '';
  const percent = (100 * (after - before)) / before;
  return ` (${percent > 0 ? '+' : ''}${percent.toFixed(2)} %)`;
}
