import type { CaseResult } from '../testing/run-cases.js';

/** The results of one case file. */
export interface FileResults {
  readonly file: string;
  readonly results: readonly CaseResult[];
}

/** Tells how a test run goes. */
export interface Reporter {
  /** A file of cases begins. */
  file(file: string): void;
  result(result: CaseResult): void;
  end(files: readonly FileResults[], durationMs: number): void;
}

/** Fuel of a result; null when there is none. */
export function fuelOf({ result }: CaseResult): number | null {
  return 'refused' in result ? null : result.fuel;
}

/** Milliseconds that a case took; 0 when its plug-in was not even loaded. */
export function durationOf({ result }: CaseResult): number {
  return 'refused' in result ? 0 : result.durationMs;
}
