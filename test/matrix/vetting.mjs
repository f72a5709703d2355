// @ts-check
// Vets every module of the generated corpus as `hookvisor vet` does, under the Node that runs this, and writes each answer
// as one line of JSON: node test/matrix/vetting.mjs OUTPUT
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { examinePlugin } from '../../dist/admission/examine-plugin.js';
import { moduleCorpus } from './module-corpus.mjs';

const limits = { memoryBytes: 64 * 1024 * 1024, pluginBytes: 16 * 1024 * 1024 };

await main(process.argv[2] ?? '');

/** @param {string} output */
async function main(output) {
  if (output === '') throw new Error('Cannot run: name the file to write to');
  /** @type {string[]} */
  const lines = [];
  for (const { title, bytes } of moduleCorpus()) {
    const report = await examinePlugin(bytes, limits);
    const { verdict, reasons } = report;
    // The digest covers the rest of the answer: what is read of the module, and how large the hardened one is.
    const digest = createHash('sha256').update(JSON.stringify(report)).digest('hex');
    const answer = { verdict, reasons: reasons.map(({ code, message }) => `${code}: ${message}`), digest };
    lines.push(JSON.stringify({ module: title, answer }));
  }
  await writeFile(output, `${lines.join('\n')}\n`);
}
