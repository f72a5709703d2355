import { relative } from 'node:path';
import type { CaseResult } from '../../testing/run-cases.js';
import { visibleLines } from '../../contract/text.js';
import { durationOf, fuelOf, type FileResults, type Reporter } from './test-report.js';
import type { Terminal } from '../terminal/terminal.js';

/** Reports JUnit XML for CI servers: one suite per file. */
export function junitReporter({ out }: Terminal): Reporter {
  return {
    file: () => undefined,
    result: () => undefined,
    end(files) {
      const suites = files.map(suite).join('');
      out.write(`<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites}</testsuites>\n`);
    },
  };
}

function suite({ file, results }: FileResults): string {
  const name = relative('.', file);
  const failures = results.filter(({ differences }) => differences.length > 0).length;
  const time = seconds(results.reduce((sum, result) => sum + durationOf(result), 0));
  const head = `name="${escape(name)}" tests="${results.length}" failures="${failures}" time="${time}"`;
  return `  <testsuite ${head}>\n${results.map((result) => testcase(name, result)).join('')}  </testsuite>\n`;
}

function testcase(file: string, result: CaseResult): string {
  const { case: one, differences } = result;
  const head = `name="${escape(one.name)}" classname="${escape(file)}" file="${escape(file)}" line="${one.line}"`;
  const fuel = fuelOf(result);
  const properties = fuel === null ? '' : `      <properties><property name="fuel" value="${fuel}"/></properties>\n`;
  const failures = differences.map(({ what, expected, actual }) => {
    const message = `${what}: expected ${expected}, found ${actual}`;
    return `      <failure message="${escape(message)}">${escape(`- ${expected}\n+ ${actual}`)}</failure>\n`;
  });
  const body = `${properties}${failures.join('')}`;
  const open = `    <testcase ${head} time="${seconds(durationOf(result))}"`;
  return body === '' ? `${open}/>\n` : `${open}>\n${body}    </testcase>\n`;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(6);
}

/** Escapes text for XML 1.0, which cannot represent most control characters. */
function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return visibleLines(text).replaceAll(/[&<>"]/gu, (char) => entities[char] ?? char);
}
