import { runCommandLine } from '../../src/commands/program.js';
import type { Stream } from '../../src/commands/terminal/terminal.js';

/** Runs a command line in this process and gives what it printed. */
export async function hookvisor(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const printed = { out: '', err: '' };
  const stream = (name: 'out' | 'err'): Stream => ({
    write: (text) => {
      printed[name] += text;
    },
    writeDocument: (document) => {
      printed[name] += document.toString('utf8');
    },
    paint: (_, text) => text,
    columns: null,
  });
  const status = await runCommandLine(args, { out: stream('out'), err: stream('err') });
  return { status, ...printed };
}
