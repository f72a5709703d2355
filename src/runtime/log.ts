import { oneLine } from '../contract/text.js';

export type LogTo = 'info' | 'warn' | 'error';

/** Where the runtime tells its administrator what happens. */
export type Log = (level: LogTo, message: string) => void;

/** A log of one clean line per message, for a stream such as stderr. */
export function createLog(stream: { write(text: string): unknown }): Log {
  return (level, message) => {
    for (const line of message.split('\n')) {
      stream.write(`hookvisor: ${level === 'info' ? '' : `${level}: `}${oneLine(line, 4_096)}\n`);
    }
  };
}
