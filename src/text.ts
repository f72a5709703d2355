/**
 * Makes hostile text safe for one line of a terminal, a log or libvirt's error message: line breaks become spaces,
 * other control characters, bidirectional overrides and lone surrogates become visible escapes, and what is longer
 * than `maxChars` is cut with an ellipsis.
 */
export function oneLine(text: string, maxChars: number): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text;
  return cut
    .toWellFormed()
    .replace(/[\r\n\t\u2028\u2029]+/gu, ' ')
    .replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (char) => {
      const code = char.codePointAt(0) ?? 0;
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    })
    .trim();
}
