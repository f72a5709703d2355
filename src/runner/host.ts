import { isUtf8 } from 'node:buffer';
import type { OpenDocument, XmlTools } from '../shared/xml/document.js';
import type { Selection } from '../shared/xml/selection.js';
import { Budget, BudgetSpent } from '../shared/xml/xpath/budget.js';
import { bounds } from '../contract/limits.js';
import { HandlerFailure } from '../contract/outcome.js';
import type { LogLevel, LogLine } from '../contract/outcome.js';
import { costOfCall } from './host-cost.js';
import type { Meter } from '../contract/meter.js';

/** Returns a copy of the beginning of a text: a slice would keep all of the plug-in's text in memory. */
export function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : Buffer.from(text.slice(0, maxChars), 'utf16le').toString('utf16le');
}

/** Collects a plug-in's log messages during one event, up to a bound. A last line states how many were dropped. */
export interface LogBook {
  readonly write: (level: LogLevel, message: string) => void;
  readonly lines: () => readonly LogLine[];
}

export function createLogBook(): LogBook {
  const lines: LogLine[] = [];
  let dropped = 0;
  return {
    write: (level, message) => {
      if (lines.length < bounds.logLines) lines.push({ level, message: cut(message, bounds.logChars) });
      else dropped += 1;
    },
    lines: () =>
      dropped === 0
        ? lines
        : [...lines, { level: 'warn', message: `${dropped} more messages were dropped, ${bounds.logLines} are kept` }],
  };
}

/**
 * Checks, for every backend, that a document can be passed to a plug-in. Throws HandlerFailure `document` if it is too
 * large or not UTF-8.
 */
export function checkDocument(document: Buffer | null): void {
  if (document === null) return;
  if (document.length > bounds.documentBytes) {
    const size = `${document.length} bytes, plugins are given at most ${bounds.documentBytes}`;
    throw new HandlerFailure('document', `the document is too large: ${size}`);
  }
  if (!isUtf8(document)) throw new HandlerFailure('document', 'the document is not valid UTF-8');
}

/** Everything that a component can access. Belongs to one instance. */
export interface HostCalls {
  /** The document, which is known to be UTF-8. */
  readonly document: () => Buffer | null;
  /** Evaluates an expression of `bytes` bytes. The beginning is sufficient if it already exceeds the maximum length. */
  readonly select: (xpath: string, bytes: number) => Selection;
  readonly json: () => string;
  /** Writes a message of `bytes` bytes, of which the kept beginning is sufficient. */
  readonly write: (level: LogLevel, message: string, bytes: number) => void;
  /** Takes steps for other work on behalf of the plug-in. Throws if there are not enough. */
  readonly charge: (steps: number) => void;
}

export interface ComponentHost {
  readonly calls: HostCalls;
  readonly logs: LogBook;
  /** Sets the event's document. Before that, and with null, there is none. */
  show(document: Buffer | null): void;
  /** Frees what the event allocated. Idempotent. */
  close(): void;
}

/** The part of a meter that pays for the host's work. */
type Purse = Pick<Meter, 'charge' | 'left' | 'limits' | 'end'>;

/** The plug-in's fuel pays for the host's work before it is done. */
export function createComponentHost(xml: XmlTools | null, settings: string, purse: Purse): ComponentHost {
  const { charge } = purse;
  const logs = createLogBook();
  let document: Buffer | null = null;
  let open: OpenDocument | null = null;
  const select = (xpath: string, bytes: number): Selection => {
    charge(bytes);
    // Null for a component that cannot read the document.
    if (document === null || xml === null) return { error: { tag: 'no-document' } };
    open ??= xml.open(document);
    return selectWithin(purse, open, xpath);
  };
  const text = (): Buffer | null => {
    charge(costOfCall(document?.length ?? 0));
    return document;
  };
  const json = (): string => {
    charge(costOfCall(settings.length));
    return settings;
  };
  const write = (level: LogLevel, message: string, bytes: number): void => {
    charge(costOfCall(bytes));
    logs.write(level, message);
  };
  return {
    calls: { document: text, select, json, write, charge },
    logs,
    show: (shown) => {
      document = shown;
    },
    close: () => {
      open?.close();
      open = null;
      document = null;
    },
  };
}

const smaller = 'select less at once: write the whole path without //, and no path from the root within [ ]';

/** Selects with the remaining fuel, but at most with the fuel that one `select` may use. */
function selectWithin({ charge, left, limits, end }: Purse, open: OpenDocument, xpath: string): Selection {
  const most = Math.min(left(), bounds.selectSteps);
  const budget = new Budget({ steps: most, bytes: limits.memoryBytes });
  try {
    const selection = open.select(xpath, budget);
    charge(budget.steps);
    return selection;
  } catch (error) {
    if (!(error instanceof BudgetSpent)) throw error;
    charge(Math.min(budget.steps, bounds.selectSteps));
    if (error.what === 'steps') end('out-of-fuel', `one select needs more than its limit of ${most} steps; ${smaller}`);
    return end(
      'out-of-memory',
      `one select needs more than the plug-in's limit of ${limits.memoryBytes} bytes of memory; ${smaller}`,
    );
  }
}
