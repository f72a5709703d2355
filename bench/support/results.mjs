// @ts-check
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plotOf } from './plot.mjs';
import { reportText } from './report.mjs';
import { root } from './stage.mjs';

/**
 * Writes the results that docs/performance.md explains: a table for people, all numbers, a plot.
 * @param {import('./report.mjs').Report} report
 */
export async function saveResults(report) {
  const folder = join(root, 'bench', 'results');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'latest.txt'), reportText(report));
  await writeFile(join(folder, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`);
  const calls = report.sections[0];
  if (calls !== undefined) await writeFile(join(folder, 'hook-call.svg'), plotOf(calls));
}
