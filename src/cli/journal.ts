import { type Command, InvalidArgumentError, Option } from 'commander';
import { defaultConfigFile } from '../config/defaults.js';
import { HookvisorError } from '../errors.js';
import type { JournaledEvent } from '../journal/events.js';
import { lastEvents, readJournal } from '../journal/read.js';
import { followJournal } from '../journal/tail.js';
import { jsonLine } from '../text.js';
import { type CommandContext, exitStatus, newCommand } from './command.js';
import { type JournalFilter, matcher, momentOption, verdictWords } from './journal-filter.js';
import { journalFolder } from './journal-folder.js';
import { eventTable, followedHeader, followedLine } from './journal-table.js';
import { journalVerifyCommand } from './journal-verify.js';
import type { Terminal } from './terminal.js';

interface JournalOptions extends JournalFilter {
  readonly config: string;
  readonly limit?: number;
  readonly follow?: true;
  readonly document?: string;
  readonly json?: true;
}

/** How many events the table shows when nobody says. */
const tableLimit = 50;

/** `hookvisor journal`: what was decided, and why. */
export function journalCommand(context: CommandContext): Command {
  const { terminal, finish } = context;
  const command = newCommand(
    'journal',
    'show what was decided and why, follow it, check that it is as it was written',
    [
      'hookvisor journal --since 1h --verdict deny',
      "hookvisor journal --name 'tenant-*' --handler naming --failure",
      'hookvisor journal --follow --json | jq .event.name',
      'hookvisor journal --document 0b7c5e1e > guest.xml',
      'hookvisor journal verify   # or: verify /var/log/hookvisor',
    ],
  );
  return command
    .enablePositionalOptions()
    .argument('[dir]', "the journal's folder (default: where the configuration says)")
    .option('-c, --config <file>', 'the configuration that names the folder', defaultConfigFile)
    .option('--since <time>', 'from then on: an age such as 1h or 7d, or 2026-11-22T10:00', momentOption)
    .option('--until <time>', 'up to then', momentOption)
    .option('--name <glob>', 'of objects with such a name, with * and ?')
    .option('--handler <name>', 'that this handler was asked about')
    .addOption(new Option('--verdict <word>', 'so decided, or so answered').choices(verdictWords))
    .option('--failure [kind]', 'in which a handler failed, in any way or this')
    .option(
      '--limit <n>',
      `the last n of them (default: ${tableLimit} in a table, all with --json; 0: all)`,
      limitOption,
    )
    .option('-f, --follow', 'go on with what is decided from now on, until interrupted')
    .option('--document <id>', 'print the document of the event whose id begins so, as it is stored')
    .option('--json', 'print the records, one in a line')
    .addCommand(journalVerifyCommand(context))
    .action(async (given: string | undefined, options: JournalOptions) => {
      const dir = await journalFolder(given, options.config);
      if (options.document !== undefined) await printDocument(dir, options.document, terminal);
      else await (options.follow === true ? follow : list)(dir, options, terminal);
      finish(exitStatus.success);
    });
}

async function list(dir: string, options: JournalOptions, { out, err }: Terminal): Promise<void> {
  const { since = 0, json, limit = json === true ? 0 : tableLimit } = options;
  const matches = matcher(options);
  if (json === true && limit === 0) {
    for await (const event of readJournal(dir, { since })) if (matches(event)) out.write(recordLine(event));
    return;
  }
  // One more than is shown tells whether there are more.
  const found = await lastEvents(dir, { since, matches, limit: limit === 0 ? Infinity : limit + 1 });
  const shown = limit === 0 ? found : found.slice(-limit);
  if (json === true) for (const event of shown) out.write(recordLine(event));
  else if (shown.length === 0) err.write('no such event\n');
  else
    out.write(
      eventTable(
        shown.map(({ record }) => record),
        out,
      ),
    );
  if (json !== true && found.length > shown.length) err.write(`the last ${shown.length}; --limit 0 shows all\n`);
}

async function follow(dir: string, options: JournalOptions, { out }: Terminal): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => {
    stop.abort();
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const matches = matcher(options);
  if (options.json !== true) out.write(followedHeader);
  for await (const event of followJournal(dir, stop.signal)) {
    if (matches(event)) out.write(options.json === true ? recordLine(event) : followedLine(event.record, out));
  }
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
}

async function printDocument(dir: string, id: string, { out, err }: Terminal): Promise<void> {
  const found = await lastEvents(dir, { limit: 2, matches: ({ record }) => record.event.id.startsWith(id) });
  const refuse = (why: string): never => {
    throw new HookvisorError('usage', `Cannot print the document of event '${id}': ${why}`, { fields: { id } });
  };
  const [event] = found;
  if (event === undefined) return refuse(`the journal has no such event; 'hookvisor journal' shows their ids`);
  if (found.length > 1) return refuse('several ids begin so; write more of it');
  const ref = event.record.document;
  if (ref === null) return refuse('libvirt gave none with it; choose another event');
  const document = event.document();
  if (document === null) {
    return refuse('it was not stored, since its secrets could not be told from the rest; choose another event');
  }
  if (event.record.document?.redacted === true) err.write('secrets were cut out of this document (***)\n');
  out.writeDocument(document);
}

function recordLine({ record }: JournaledEvent): string {
  return jsonLine(record);
}

function limitOption(text: string): number {
  if (!/^\d{1,9}$/u.test(text)) throw new InvalidArgumentError('Expected a whole number, 0 for all.');
  return Number(text);
}
