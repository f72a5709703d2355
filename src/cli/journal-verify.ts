import { type Command, InvalidArgumentError } from 'commander';
import { defaultConfigFile } from '../config/defaults.js';
import { type JournalReport, verifyJournal } from '../journal/verify.js';
import { jsonLine } from '../text.js';
import { type CommandContext, exitStatus, newCommand } from './command.js';
import { journalFolder } from './journal-folder.js';
import type { Terminal } from './terminal.js';

interface VerifyOptions {
  readonly config: string;
  readonly contains?: string;
  readonly json?: true;
}

/** `hookvisor journal verify`: whether every record is as it was written; exit 1 names the first that is not. */
export function journalVerifyCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('verify', 'check that every record is as it was written', [
    'hookvisor journal verify --config ./hookvisor.yaml',
    'hookvisor journal verify /var/log/hookvisor --contains 5f0c…   # a head that was noted earlier',
  ])
    .argument('[dir]', "the journal's folder (default: where the configuration says)")
    .option('-c, --config <file>', 'the configuration that names the folder', defaultConfigFile)
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
    err.write(`${err.paint('yellow', 'torn')}: '${file}' ends with ${bytes} bytes of a record that is not whole, as `);
    err.write('after a crash or just before a write is done; the runtime cuts it off when it starts\n');
  }
  if (lost > 0) err.write(`${err.paint('yellow', 'gap')}: ${lost} events were answered and could not be written\n`);
  const found = `${report.events} events and ${report.documents} documents in ${report.segments} segments`;
  if (bad !== null) {
    err.write(`${err.paint('red', 'not as it was written')}: '${bad.file}', line ${bad.line}: ${bad.problem}\n`);
    err.write(`before it: ${found}, numbers ${report.first} to ${report.last}\n`);
    return;
  }
  if (contains === false) {
    const advice = 'it was written anew, or retention deleted that record';
    err.write(`${err.paint('red', 'not found')}: no record of '${dir}' has that hash; ${advice}\n`);
    return;
  }
  out.write(`${out.paint('green', 'as it was written')}: ${found}, numbers ${report.first} to ${report.last}\n`);
  if (report.head !== null) out.write(`head ${report.head}\n`);
}

function hashOption(text: string): string {
  if (!/^[0-9a-f]{64}$/iu.test(text))
    throw new InvalidArgumentError('Expected the 64 digits that verify prints as head.');
  return text.toLowerCase();
}
