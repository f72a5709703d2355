import type { CaseResult } from '../../testing/run-cases.js';

/** The results of one case file. */
export interface FileResults {
  readonly file: string;
  readonly results: readonly CaseResult[];
}

/** Reports the progress of a test run. */
export interface Reporter {
  /** Called before the cases of a file run. */
  file(file: string): void;
  result(result: CaseResult): void;
  end(files: readonly FileResults[], durationMs: number): void;
}

/** Returns the fuel of a result; null when there is none. */
export function fuelOf({ result }: CaseResult): number | null {
  return 'refused' in result ? null : result.fuel;
}

/** Returns the milliseconds that a case took; 0 when its plug-in was not loaded. */
export function durationOf({ result }: CaseResult): number {
  return 'refused' in result ? 0 : result.durationMs;
}
