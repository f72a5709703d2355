import { styleText } from 'node:util';

/** Where a command prints; stdout for results, stderr for everything said to a person on the way. */
export interface Terminal {
  readonly out: Stream;
  readonly err: Stream;
}

export interface Stream {
  write(text: string): void;
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
      stream.write(text);
    },
    paint: (style, text) => (colour ? styleText(style, text) : text),
    columns: isTerminal ? stream.columns : null,
  };
}
