import type { EventRecord } from '../../runtime/journal/record.js';
import { oneLine } from '../../contract/text.js';
import { row, table } from '../terminal/table.js';
import type { Stream } from '../terminal/terminal.js';

const header = ['TIME', 'ID', 'EVENT', 'NAME', 'VERDICT', 'HANDLER', 'REASON'];
const followedWidths = [19, 8, 24, 20, 16, 16, 0];
const reasonChars = 120;
/** Number of characters shown of an event id; `--document` accepts a prefix. */
const shownIdChars = 8;

/** Formats events as a table, one row per event. */
export function eventTable(records: readonly EventRecord[], out: Stream): string {
  return table(
    header,
    records.map((record) => cells(record, out)),
  );
}

/** Header of the table for `--follow`, whose rows are printed one by one. */
export const followedHeader = `${row(header, followedWidths)}\n`;

export function followedLine(record: EventRecord, out: Stream): string {
  return `${row(cells(record, out), followedWidths)}\n`;
}

function cells(record: EventRecord, out: Stream): string[] {
  const { event, verdict, answered } = record;
  const told = verdict === answered ? verdict : `${verdict}, answered ${answered}`;
  const { handler, reason } = decisive(record);
  return [
    localTime(record.time),
    out.paint('dim', oneLine(event.id.slice(0, shownIdChars), shownIdChars)),
    oneLine(`${event.driver} ${event.event} ${event.qualifier}`, 40),
    oneLine(event.name, 40),
    out.paint(answered === 'deny' ? 'red' : verdict === answered ? 'green' : 'yellow', told),
    handler,
    oneLine(reason ?? '', reasonChars),
  ];
}

/** Picks the handler to show: the one that denied, else one that failed, else the last that replaced, else the last. */
function decisive({ handlers, verdict, reason }: EventRecord): { handler: string; reason: string | null } {
  const one =
    (verdict === 'deny' ? handlers.find((each) => each.mode === 'enforce' && each.outcome === 'deny') : undefined) ??
    handlers.find(({ failure }) => failure !== null) ??
    handlers.findLast(({ outcome }) => outcome === 'replace') ??
    handlers.at(-1);
  if (one === undefined) return { handler: '-', reason };
  const why = one.reason ?? reason;
  return { handler: one.handler, reason: one.failure === null ? why : `failed (${one.failure}): ${why ?? ''}` };
}

function localTime(time: number): string {
  const date = new Date(time);
  const local = new Date(time - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}
