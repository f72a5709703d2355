import { relative } from 'node:path';
import type { Difference } from '../../testing/differences.js';
import { oneLine } from '../../contract/text.js';
import { diffLines } from '../terminal/diff.js';
import type { Reporter } from './test-report.js';
import { durationOf, fuelOf } from './test-report.js';
import type { Stream, Terminal } from '../terminal/terminal.js';

/** Reports for people: one line per case, a comparison below each failure, and the totals. */
export function specReporter({ out }: Terminal): Reporter {
  let current = '';
  return {
    file(file) {
      current = file;
      out.write(`${out.paint('bold', relative('.', file))}\n`);
    },
    result(result) {
      const failed = result.differences.length > 0;
      const mark = failed ? out.paint('red', '✗') : out.paint('green', '✓');
      const fuel = fuelOf(result);
      const spent = [fuel === null ? '' : `fuel ${fuel}`, `${durationOf(result).toFixed(1)} ms`].filter(Boolean);
      out.write(`  ${mark} ${oneLine(result.case.name, 120)} ${out.paint('dim', spent.join(', '))}\n`);
      if (!failed) return;
      out.write(`      ${out.paint('dim', `${relative('.', current)}:${result.case.line}`)}\n`);
      for (const difference of result.differences) out.write(describe(difference, out));
    },
    end(files, durationMs) {
      const all = files.flatMap(({ results }) => results);
      const failed = all.filter(({ differences }) => differences.length > 0).length;
      const sum = [
        ...(failed > 0 ? [out.paint('red', `${failed} failed`)] : []),
        ...(all.length > failed ? [out.paint('green', `${all.length - failed} passed`)] : []),
      ];
      const seconds = (durationMs / 1_000).toFixed(1);
      out.write(`\n${all.length === 0 ? 'no cases' : sum.join(', ')} ${out.paint('dim', `in ${seconds} s`)}\n`);
    },
  };
}

function describe({ what, expected, actual }: Difference, out: Stream): string {
  const lines = diffLines(expected, actual).map(({ sign, text }) => {
    const line = `${sign} ${oneLine(text, 1_024)}`;
    return sign === ' ' ? line : out.paint(sign === '-' ? 'green' : 'red', line);
  });
  const legend = `${out.paint('green', '- expected')} ${out.paint('red', '+ actual')}`;
  return `      ${what} (${legend})\n${lines.map((line) => `        ${line}\n`).join('')}`;
}
