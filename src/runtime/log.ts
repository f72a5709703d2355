import { oneLine } from '../contract/text.js';

export type LogTo = 'info' | 'warn' | 'error';

/** Logs messages for the administrator. */
export type Log = (level: LogTo, message: string) => void;

/** Creates a log that writes one clean line per message to a stream such as stderr. */
export function createLog(stream: { write(text: string): unknown }): Log {
  return (level, message) => {
    for (const line of message.split('\n')) {
      stream.write(`hookvisor: ${level === 'info' ? '' : `${level}: `}${oneLine(line, 4_096)}\n`);
    }
  };
}
