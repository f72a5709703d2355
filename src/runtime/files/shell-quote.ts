/**
 * Quotes a word for a POSIX shell, where it can be copied from a terminal: what is not plain ASCII is written as an
 * escape, `$'\xc3\xa4'`, so that a name shows what it is and does nothing to the terminal.
 */
export function shellQuote(word: string): string {
  if (/^[\w./:@%+=,-]+$/u.test(word)) return word;
  if (/^[\x20-\x7e]*$/u.test(word)) return `'${word.replaceAll("'", String.raw`'\''`)}'`;
  const escaped = [...Buffer.from(word)].map((byte) => {
    const char = String.fromCharCode(byte);
    if (char === "'" || char === '\\') return `\\${char}`;
    return byte >= 0x20 && byte < 0x7f ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `$'${escaped.join('')}'`;
}
