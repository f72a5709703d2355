import { styleText } from 'node:util';
import { visibleLines } from '../text.js';

/** Where a command prints; stdout for results, stderr for everything said to a person on the way. */
export interface Terminal {
  readonly out: Stream;
  readonly err: Stream;
}

export interface Stream {
  /** Prints text in which hidden characters are made visible, whoever wrote it; colours and line breaks stay. */
  write(text: string): void;
  /** Prints a document: byte for byte, unless somebody looks at it on a terminal. */
  writeDocument(document: Buffer): void;
  /** Colours `text` where this stream is a terminal and NO_COLOR is not set (https://no-color.org). */
  paint(style: Style, text: string): string;
  /** Columns of the terminal; null when this stream is none. */
  readonly columns: number | null;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** The process's own streams. */
export function processTerminal(): Terminal {
  return { out: streamOf(process.stdout), err: streamOf(process.stderr) };
}

function streamOf(stream: NodeJS.WriteStream): Stream {
  const isTerminal = stream.isTTY;
  const colour = isTerminal && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  return {
    write: (text) => {
      stream.write(safe(text));
    },
    writeDocument: (document) => {
      stream.write(isTerminal ? visibleLines(document.toString('utf8')) : document);
    },
    paint: (style, text) => (colour ? styleText(style, text) : text),
    columns: isTerminal ? stream.columns : null,
  };
}

/** What Hookvisor itself tells a terminal: colours, and a line that replaces the one before (see createProgress). */
const escape = '\u001b';
const own = new RegExp(`(^\\r|${escape}\\[[\\d;]*m|${escape}\\[K)`, 'u');

/** The last line of defence. Whoever prints text of others makes one clean line of it (see oneLine). */
function safe(text: string): string {
  const parts = text.split(own);
  return parts.map((part, at) => (at % 2 === 1 ? part : visibleLines(part))).join('');
}
