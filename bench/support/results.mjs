// @ts-check
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plotOf } from './plot.mjs';
import { sectionText, targetsText } from './report.mjs';
import { root } from './stage.mjs';

/**
 * Writes what docs/performance.md explains: a table for people, all numbers, a plot.
 * @param {{ machine: object, targets: readonly import('./report.mjs').Judged[],
 *   sections: readonly import('./report.mjs').Section[] }} report
 */
export async function saveResults(report) {
  const folder = join(root, 'bench', 'results');
  await mkdir(folder, { recursive: true });
  const { machine, targets, sections } = report;
  const facts = Object.entries(machine).map(([name, value]) => `${name}: ${value}`);
  const text = [facts.join(', '), '', ...sections.map(sectionText), targetsText(targets)].join('\n');
  await writeFile(join(folder, 'latest.txt'), text);
  await writeFile(join(folder, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`);
  const calls = sections[0];
  if (calls !== undefined) await writeFile(join(folder, 'hook-call.svg'), plotOf(calls));
}
