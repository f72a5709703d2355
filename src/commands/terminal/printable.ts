import { oneLine } from '../../contract/text.js';

/** Removes control characters from multi-line text, such as compiler output, and keeps the indentation. */
export function printable(text: string): string {
  return text
    .split('\n')
    .map((line) => `${/^ */u.exec(line)?.[0] ?? ''}${oneLine(line, 4_096)}`)
    .join('\n');
}
