import type { Terminal } from '../terminal/terminal.js';
import { jsonReporter } from './test-report-json.js';
import { junitReporter } from './test-report-junit.js';
import { specReporter } from './test-report-spec.js';
import { tapReporter } from './test-report-tap.js';
import type { Reporter } from './test-report.js';

export const reporterNames = ['spec', 'tap', 'junit', 'json'] as const;
export type ReporterName = (typeof reporterNames)[number];

/** Reporters of a test run by name. */
export const reporters: Readonly<Record<ReporterName, (terminal: Terminal) => Reporter>> = {
  spec: specReporter,
  tap: tapReporter,
  junit: junitReporter,
  json: jsonReporter,
};
