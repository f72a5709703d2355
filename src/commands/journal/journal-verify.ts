import { type Command, InvalidArgumentError } from 'commander';
import { defaultConfigFile } from '../../runtime/config/defaults.js';
import { type JournalReport, verifyJournal } from '../../runtime/journal/verify.js';
import { jsonLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';
import { journalFolder } from './journal-folder.js';
import type { Terminal } from '../terminal/terminal.js';

interface VerifyOptions {
  readonly config: string;
  readonly contains?: string;
  readonly json?: true;
}

/** Implements `hookvisor journal verify`: checks that no record was changed; exits with 1 at the first that was. */
export function journalVerifyCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('verify', 'check that no record was changed', [
    'hookvisor journal verify --config ./hookvisor.yaml',
    'hookvisor journal verify /var/log/hookvisor --contains 5f0c…   # a head saved earlier',
  ])
    .argument('[dir]', 'the journal folder (default: from the configuration)')
    .option('-c, --config <file>', 'the configuration file that names the folder', defaultConfigFile)
    .option('--contains <hash>', 'fail unless a record has this hash', hashOption)
    .option('--json', 'print the result as JSON')
    .action(async (given: string | undefined, { config, contains, json }: VerifyOptions) => {
      const dir = await journalFolder(given, config);
      const report = await verifyJournal(dir, contains === undefined ? {} : { contains });
      const valid = report.bad === null && report.contains !== false;
      if (json === true) terminal.out.write(jsonLine({ valid, journal: dir, ...report }));
      else print({ dir, report, terminal });
      finish(valid ? exitStatus.success : exitStatus.negative);
    });
}

function print({ dir, report, terminal }: { dir: string; report: JournalReport; terminal: Terminal }): void {
  const { out, err } = terminal;
  const { bad, torn, contains, lost } = report;
  for (const { file, bytes } of torn) {
    err.write(`${err.paint('yellow', 'torn')}: '${file}' ends with ${bytes} bytes of an incomplete record, as `);
    err.write('after a crash or during a write; the runtime removes it at start-up\n');
  }
  if (lost > 0) err.write(`${err.paint('yellow', 'gap')}: ${lost} events were answered but not recorded\n`);
  const found = `${report.events} events and ${report.documents} documents in ${report.segments} segments`;
  if (bad !== null) {
    err.write(`${err.paint('red', 'changed')}: '${bad.file}', line ${bad.line}: ${bad.problem}\n`);
    err.write(`intact before it: ${found}, numbers ${report.first} to ${report.last}\n`);
    return;
  }
  if (contains === false) {
    const advice = 'the journal was rewritten, or retention deleted the record';
    err.write(`${err.paint('red', 'not found')}: no record of '${dir}' has that hash; ${advice}\n`);
    return;
  }
  out.write(`${out.paint('green', 'intact')}: ${found}, numbers ${report.first} to ${report.last}\n`);
  if (report.head !== null) out.write(`head ${report.head}\n`);
}

function hashOption(text: string): string {
  if (!/^[0-9a-f]{64}$/iu.test(text))
    throw new InvalidArgumentError('Expected 64 hexadecimal digits, as verify prints after head.');
  return text.toLowerCase();
}
