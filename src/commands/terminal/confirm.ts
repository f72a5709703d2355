import { createInterface } from 'node:readline/promises';
import { HookvisorError } from '../../contract/errors.js';
import { oneLine } from '../../contract/text.js';
import type { Terminal } from './terminal.js';

/** Asks for confirmation; only `y` and `yes` confirm. Throws HookvisorError `usage` when stdin is not a terminal. */
export async function confirm(question: string, { err }: Terminal): Promise<boolean> {
  if (!process.stdin.isTTY || err.columns === null) {
    throw new HookvisorError('usage', `Cannot ask '${question}': not a terminal; pass --yes to continue`);
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${oneLine(question, 400)} [y/N] `);
    return /^y(es)?$/iu.test(answer.trim());
  } finally {
    lines.close();
  }
}
