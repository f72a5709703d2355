#!/usr/bin/env node
import { runCommandLine } from './program.js';
import { processTerminal } from './terminal/terminal.js';
import { hasCode } from '../contract/error-code.js';

// A reader such as `head` that has enough closes the pipe: no more output is needed.
process.stdout.on('error', (error) => {
  if (!hasCode(error, 'EPIPE')) throw error;
  process.exit();
});
// Nobody can be told, and a runtime whose log has no reader goes on.
process.stderr.on('error', () => undefined);

process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
