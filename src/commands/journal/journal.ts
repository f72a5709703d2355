import { type Command, InvalidArgumentError, Option } from 'commander';
import { defaultConfigFile } from '../../runtime/config/defaults.js';
import { HookvisorError } from '../../contract/errors.js';
import type { JournaledEvent } from '../../runtime/journal/events.js';
import { lastEvents, readJournal } from '../../runtime/journal/read.js';
import { followJournal } from '../../runtime/journal/tail.js';
import { jsonLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';
import { type JournalFilter, matcher, momentOption, verdictWords } from './journal-filter.js';
import { journalFolder } from './journal-folder.js';
import { eventTable, followedHeader, followedLine } from './journal-table.js';
import { journalVerifyCommand } from './journal-verify.js';
import type { Terminal } from '../terminal/terminal.js';

interface JournalOptions extends JournalFilter {
  readonly config: string;
  readonly limit?: number;
  readonly follow?: true;
  readonly document?: string;
  readonly json?: true;
}

/** Default number of events in the table. */
const tableLimit = 50;

/** Implements `hookvisor journal`: what was decided, and why. */
export function journalCommand(context: CommandContext): Command {
  const { terminal, finish } = context;
  const command = newCommand('journal', 'show decisions and their reasons, follow new ones, or verify the journal', [
    'hookvisor journal --since 1h --verdict deny',
    "hookvisor journal --name 'tenant-*' --handler naming --failure",
    'hookvisor journal --follow --json | jq .event.name',
    'hookvisor journal --document 0b7c5e1e > guest.xml',
    'hookvisor journal verify   # or: verify /var/log/hookvisor',
  ]);
  return command
    .enablePositionalOptions()
    .argument('[dir]', 'the journal folder (default: from the configuration)')
    .option('-c, --config <file>', 'the configuration file that names the folder', defaultConfigFile)
    .option('--since <time>', 'only events since this time: an age such as 1h or 7d, or 2026-11-22T10:00', momentOption)
    .option('--until <time>', 'only events until this time', momentOption)
    .option('--name <glob>', 'only objects whose name matches this glob')
    .option('--handler <name>', 'only events that this handler was asked about')
    .addOption(new Option('--verdict <word>', 'only events with this verdict or answer').choices(verdictWords))
    .option('--failure [kind]', 'only events with a failure, optionally of this kind')
    .option(
      '--limit <n>',
      `only the last n events (default: ${tableLimit} in a table, all with --json; 0: all)`,
      limitOption,
    )
    .option('-f, --follow', 'keep printing new events until interrupted')
    .option('--document <id>', 'print the stored document of the event whose id starts with this')
    .option('--json', 'print the records as JSON, one per line')
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
  // One extra event shows whether there are more.
  const found = await lastEvents(dir, { since, matches, limit: limit === 0 ? Infinity : limit + 1 });
  const shown = limit === 0 ? found : found.slice(-limit);
  if (json === true) for (const event of shown) out.write(recordLine(event));
  else if (shown.length === 0) err.write('no matching events\n');
  else
    out.write(
      eventTable(
        shown.map(({ record }) => record),
        out,
      ),
    );
  if (json !== true && found.length > shown.length)
    err.write(`showing the last ${shown.length} events; --limit 0 shows all\n`);
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
  if (event === undefined) return refuse(`the journal has no such event; 'hookvisor journal' lists the ids`);
  if (found.length > 1) return refuse('several ids start with this; specify more characters');
  const ref = event.record.document;
  if (ref === null) return refuse('libvirt sent no document with it; choose another event');
  const document = event.document();
  if (document === null) {
    return refuse('it was not stored because its secrets could not be identified; choose another event');
  }
  if (event.record.document?.redacted === true) err.write('secrets were removed from this document (***)\n');
  out.writeDocument(document);
}

function recordLine({ record }: JournaledEvent): string {
  return jsonLine(record);
}

function limitOption(text: string): number {
  if (!/^\d{1,9}$/u.test(text)) throw new InvalidArgumentError('Expected a whole number; 0 means all.');
  return Number(text);
}
