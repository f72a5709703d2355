import { changeOf, type Comparison, type Replayed } from './compared.js';
import { differingFields } from './comparable-answer.js';

/** A comparison with a difference to show. */
export interface ShownChange {
  readonly change: 'flip' | 'new-failure' | 'reworded' | 'failed-now' | 'differs';
  readonly comparison: Comparison;
  /** With `differs`: the fields that differ. */
  readonly points: readonly string[];
}

/** The result of a replay. */
export interface Tally {
  readonly events: number;
  /** Answers that were compared, or only obtained when no decision was recorded. */
  readonly compared: number;
  readonly same: number;
  readonly reworded: number;
  readonly flips: number;
  readonly newFailures: number;
  /** With `exact`: answers that are not identical. */
  readonly differing: number;
  /** Outcomes for captured calls, which have no recorded decision. */
  readonly decidedNow: Readonly<Record<string, number>>;
  /** Number of compared documents from which secrets were removed. */
  readonly redacted: number;
  /** Number of answers that were not compared, by reason. */
  readonly notComparable: Readonly<Record<string, number>>;
  /** Total fuel of the answers whose fuel is known both then and now. */
  readonly fuel: { readonly before: number; readonly after: number; readonly answers: number };
  /** The first changes, at most `shownChanges`. */
  readonly changes: readonly ShownChange[];
}

/** Nobody reads more changes than this; the counts are complete. */
export const shownChanges = 1_000;

/** Creates a tally that counts replayed events. */
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
