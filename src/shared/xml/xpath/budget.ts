import { bounds, defaultLimits } from '../../../contract/limits.js';

/** The resources that one `select` may use. The same work always costs the same, on every machine. */
export class Budget {
  #steps = 0;
  #bytes = 0;
  readonly #mostSteps: number;
  readonly #mostBytes: number;

  constructor({ steps, bytes }: { readonly steps: number; readonly bytes: number }) {
    this.#mostSteps = steps;
    this.#mostBytes = bytes;
  }

  /** Takes steps of fuel. Throws BudgetSpent. */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#mostSteps) throw new BudgetSpent('steps');
  }

  /** Takes memory, which is counted until the end of the `select`. Throws BudgetSpent. */
  allocate(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#mostBytes) throw new BudgetSpent('bytes');
  }

  get steps(): number {
    return this.#steps;
  }

  get bytes(): number {
    return this.#bytes;
  }
}

/** Thrown when a `select` would exceed its budget. */
export class BudgetSpent extends Error {
  readonly what: 'steps' | 'bytes';

  constructor(what: 'steps' | 'bytes') {
    super(`the selection takes more ${what} than it may`);
    this.what = what;
  }
}

/** The budget of a `select` for which no handler pays. */
export function ampleBudget(): Budget {
  return new Budget({ steps: bounds.selectSteps, bytes: defaultLimits.memoryBytes });
}
