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

/**
 * A value as one line of JSON, with its line break. What JSON leaves as it is and a terminal may obey (DEL, the C1
 * controls, bidirectional overrides) is escaped; it reads back as the same value.
 */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${json}\n`;
}
