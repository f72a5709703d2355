import { Command, InvalidArgumentError } from 'commander';
import { HookvisorError, messageOf } from '../contract/errors.js';
import { jsonLine } from '../contract/text.js';
import type { Terminal } from './terminal/terminal.js';

/** Exit statuses of every command. */
export const exitStatus = { success: 0, negative: 1, error: 2 } as const;
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

/** What a command receives besides its arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Sets the exit status of the command. */
  readonly finish: (status: ExitStatus) => void;
}

/** Creates a command whose help ends with examples. */
export function newCommand(name: string, summary: string, examples: readonly string[]): Command {
  return new Command(name)
    .description(summary)
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}\n`);
}

/** Prints an error: as a JSON object on stdout for programs, as text on stderr for people. */
export function reportError(error: unknown, options: { terminal: Terminal; json: boolean }): void {
  const { terminal, json } = options;
  const code = error instanceof HookvisorError ? error.code : 'internal';
  if (json) {
    const fields = error instanceof HookvisorError ? error.fields : {};
    terminal.out.write(jsonLine({ error: { code, message: messageOf(error), fields } }));
    return;
  }
  terminal.err.write(`${terminal.err.paint('red', 'hookvisor:')} ${messageOf(error)}\n`);
  // If the runtime sent it, the stack says only where this process received it.
  const isOurs = !(error instanceof HookvisorError && 'refused' in error.fields);
  if (code === 'internal' && isOurs && error instanceof Error && error.stack !== undefined)
    terminal.err.write(`${error.stack}\n`);
}

/** Parses an option in seconds; returns milliseconds. */
export function secondsOption(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new InvalidArgumentError('Expected a positive number of seconds.');
  return seconds * 1_000;
}
