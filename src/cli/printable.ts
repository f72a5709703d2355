import { oneLine } from '../text.js';

/** Text of several lines, such as a compiler's, without control characters; indentation stays. */
export function printable(text: string): string {
  return text
    .split('\n')
    .map((line) => `${/^ */u.exec(line)?.[0] ?? ''}${oneLine(line, 4_096)}`)
    .join('\n');
}
