import { createInterface } from 'node:readline/promises';
import { HookvisorError } from '../errors.js';
import { oneLine } from '../text.js';
import type { Terminal } from './terminal.js';

/** Asks a person. Only `y` and `yes` are a yes. Throws HookvisorError `usage` when nobody is there. */
export async function confirm(question: string, { err }: Terminal): Promise<boolean> {
  if (!process.stdin.isTTY || err.columns === null) {
    throw new HookvisorError(
      'usage',
      `Cannot ask '${question}': this is no terminal; say --yes to go on without asking`,
    );
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${oneLine(question, 400)} [y/N] `);
    return /^y(es)?$/iu.test(answer.trim());
  } finally {
    lines.close();
  }
}
