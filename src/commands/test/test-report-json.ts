import type { Reporter } from './test-report.js';
import { jsonLine } from '../../contract/text.js';
import type { Terminal } from '../terminal/terminal.js';

/** Reports one JSON object at the end. */
export function jsonReporter({ out }: Terminal): Reporter {
  return {
    file: () => undefined,
    result: () => undefined,
    end(files, durationMs) {
      const cases = files.flatMap(({ file, results }) =>
        results.map(({ case: one, differences, result }) => ({
          file,
          line: one.line,
          name: one.name,
          passed: differences.length === 0,
          differences,
          ...result,
        })),
      );
      const failed = cases.filter(({ passed }) => !passed).length;
      out.write(jsonLine({ passed: cases.length - failed, failed, durationMs, cases }));
    },
  };
}
