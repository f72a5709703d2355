/**
 * Quotes a word for a POSIX shell, so that it can be copied from a terminal. Writes bytes other than printable ASCII as
 * escapes, `$'\xc3\xa4'`, so that a name is unambiguous and cannot affect the terminal.
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
