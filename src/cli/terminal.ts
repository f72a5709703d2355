import { styleText } from 'node:util';

/** Where a command prints: results to stdout, messages for people to stderr. */
export interface Terminal {
  readonly out: Stream;
  readonly err: Stream;
}

export interface Stream {
  write(text: string): void;
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
      stream.write(text);
    },
    paint: (style, text) => (colour ? styleText(style, text) : text),
    columns: isTerminal ? stream.columns : null,
  };
}
