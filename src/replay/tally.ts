import { changeOf, type Comparison, type Replayed } from './compared.js';
import { differingFields } from './comparable-answer.js';

/** A comparison that is worth showing, and what changed. */
export interface ShownChange {
  readonly change: 'flip' | 'new-failure' | 'reworded' | 'failed-now' | 'differs';
  readonly comparison: Comparison;
  /** Of `differs`: the points in which the answers are not the same. */
  readonly points: readonly string[];
}

/** What a replay came to. */
export interface Tally {
  readonly events: number;
  /** Answers that were compared, or, where nothing was decided then, asked for. */
  readonly compared: number;
  readonly same: number;
  readonly reworded: number;
  readonly flips: number;
  readonly newFailures: number;
  /** With `exact`: answers that are not the same to the last digit. */
  readonly differing: number;
  /** Answers about captured calls, with which there is nothing to compare. */
  readonly decidedNow: Readonly<Record<string, number>>;
  /** How many of the compared documents are without the secrets that they had. */
  readonly redacted: number;
  /** Why answers were not compared, and how many. */
  readonly notComparable: Readonly<Record<string, number>>;
  /** Fuel of all answers that have it then and now. */
  readonly fuel: { readonly before: number; readonly after: number; readonly answers: number };
  /** The first of the changes, at most `shownChanges`. */
  readonly changes: readonly ShownChange[];
}

/** More than this nobody reads; the counts are complete. */
export const shownChanges = 1_000;

/** Counts what comes of one event after the other. */
export function createTally({ exact }: { readonly exact: boolean }): {
  add(replayed: Replayed): void;
  readonly result: () => Tally;
} {
  const counts = { events: 0, compared: 0, same: 0, reworded: 0, flips: 0, newFailures: 0, differing: 0, redacted: 0 };
  const decidedNow: Record<string, number> = {};
  const notComparable: Record<string, number> = {};
  const fuel = { before: 0, after: 0, answers: 0 };
  const changes: ShownChange[] = [];
  const count = (into: Record<string, number>, key: string): void => {
    into[key] = (into[key] ?? 0) + 1;
  };
  const show = (change: ShownChange): void => {
    if (changes.length < shownChanges) changes.push(change);
  };

  const compare = (comparison: Comparison): void => {
    const { before, after } = comparison;
    counts.compared += 1;
    if (comparison.redacted) counts.redacted += 1;
    if (before !== null && before.fuel !== null && after.fuel !== null) {
      fuel.before += before.fuel;
      fuel.after += after.fuel;
      fuel.answers += 1;
    }
    const points = exact && before !== null ? differingFields(before, after) : [];
    if (points.length > 0) {
      counts.differing += 1;
      show({ change: 'differs', comparison, points });
      return;
    }
    const change = changeOf(comparison);
    if (change === 'same') counts.same += 1;
    else if (change === 'decided-now') count(decidedNow, after.outcome ?? 'failure');
    else {
      if (change === 'flip') counts.flips += 1;
      if (change === 'reworded') counts.reworded += 1;
      if (change === 'new-failure') counts.newFailures += 1;
      if (change === 'failed-now') count(decidedNow, 'failure');
      show({ change, comparison, points: [] });
    }
  };

  return {
    add({ compared, notComparable: left }) {
      counts.events += 1;
      for (const one of compared) compare(one);
      for (const { handler, why } of left) count(notComparable, handler === null ? why : `${handler}: ${why}`);
    },
    result: () => ({ ...counts, decidedNow, notComparable, fuel, changes }),
  };
}
