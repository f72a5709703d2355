import type { EventRecord } from '../journal/record.js';
import { oneLine } from '../text.js';
import { row, table } from './table.js';
import type { Stream } from './terminal.js';

const header = ['TIME', 'ID', 'EVENT', 'NAME', 'VERDICT', 'HANDLER', 'REASON'];
const followedWidths = [19, 8, 24, 20, 16, 16, 0];
const reasonChars = 120;
/** So much of an event's id is shown; `--document` takes the beginning of one. */
const shownIdChars = 8;

/** Events as a table, one line each. */
export function eventTable(records: readonly EventRecord[], out: Stream): string {
  return table(
    header,
    records.map((record) => cells(record, out)),
  );
}

/** The table's header and lines one by one, for events that are still to come. */
export const followedHeader = `${row(header, followedWidths)}\n`;

export function followedLine(record: EventRecord, out: Stream): string {
  return `${row(cells(record, out), followedWidths)}\n`;
}

function cells(record: EventRecord, out: Stream): string[] {
  const { event, verdict, answered } = record;
  const told = verdict === answered ? verdict : `${verdict}, told ${answered}`;
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

/** The handler to show: who denied, else who failed, else who replaced, else the last that was asked. */
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
