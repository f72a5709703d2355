import { relative } from 'node:path';
import { stringify } from 'yaml';
import { oneLine } from '../../contract/text.js';
import type { Reporter } from './test-report.js';
import { durationOf, fuelOf } from './test-report.js';
import type { Terminal } from '../terminal/terminal.js';

/** Reports TAP 14 (https://testanything.org): one test line per case. */
export function tapReporter({ out }: Terminal): Reporter {
  let count = 0;
  let current = '';
  out.write('TAP version 14\n');
  return {
    file(file) {
      current = relative('.', file);
      out.write(`# ${oneLine(current, 1_024)}\n`);
    },
    result(result) {
      count += 1;
      const { name, line } = result.case;
      const failed = result.differences.length > 0;
      const title = oneLine(name, 200).replaceAll('\\', '\\\\').replaceAll('#', '\\#');
      out.write(`${failed ? 'not ok' : 'ok'} ${count} - ${title}\n`);
      const fuel = fuelOf(result);
      const details = {
        ...(failed && { at: `${current}:${line}`, differences: result.differences }),
        ...(fuel !== null && { fuel }),
        duration_ms: durationOf(result),
      };
      const block = stringify(details).trimEnd().replaceAll('\n', '\n  ');
      out.write(`  ---\n  ${block}\n  ...\n`);
    },
    end() {
      out.write(`1..${count}\n`);
    },
  };
}
