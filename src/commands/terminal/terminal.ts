import { styleText } from 'node:util';
import { visibleLines } from '../../contract/text.js';

/** Where a command prints: results to stdout, messages for people to stderr. */
export interface Terminal {
  readonly out: Stream;
  readonly err: Stream;
}

export interface Stream {
  /** Prints text with hidden characters made visible, whatever its origin; colours and line breaks are kept. */
  write(text: string): void;
  /** Prints a document: unchanged, or with hidden characters made visible on a terminal. */
  writeDocument(document: Buffer): void;
  /** Colours `text` when this stream is a terminal and NO_COLOR is not set (https://no-color.org). */
  paint(style: Style, text: string): string;
  /** Columns of the terminal; null when this stream is not a terminal. */
  readonly columns: number | null;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Returns the streams of this process. */
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

/** Control sequences of Hookvisor itself: colours, and a line that replaces the previous one (see createProgress). */
const escape = '\u001b';
const own = new RegExp(`(^\\r|${escape}\\[[\\d;]*m|${escape}\\[K)`, 'u');

/** The last line of defence; text from outside must already be one clean line (see oneLine). */
function safe(text: string): string {
  const parts = text.split(own);
  return parts.map((part, at) => (at % 2 === 1 ? part : visibleLines(part))).join('');
}
