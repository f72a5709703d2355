/**
 * Characters that are invisible or change how others are displayed: control and format characters, those that fonts
 * leave out by default (zero-width characters, tags, fillers, soft hyphens), bidirectional controls, spaces that look
 * like U+0020, line separators, lone surrogates, private use and noncharacters. They come from the Unicode data of this
 * Node (`process.versions.unicode`), so a newer Node may include more. Unassigned characters are not included: each
 * Unicode version assigns some, and terminals show a box for them.
 */
const hidden =
  '(?! )[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Z}\\p{Default_Ignorable_Code_Point}\\p{Bidi_Control}\\p{Noncharacter_Code_Point}]';
const eachHidden = new RegExp(hidden, 'gu');
const eachHiddenButLines = new RegExp(`(?![\\n\\t])${hidden}`, 'gu');
/** A fast check: most texts need no change. */
const printableAscii = /^[ -~]*$/u;
const printableAsciiLines = /^[ -~\n\t]*$/u;

/**
 * Makes hostile text safe for one line of a terminal, a log or libvirt's error message. Line breaks become spaces,
 * other hidden characters become visible escapes such as `\u200b` or `\u{e0041}`, lone surrogates become U+FFFD, and
 * text longer than `maxChars` is cut with an ellipsis.
 */
export function oneLine(text: string, maxChars: number): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text;
  if (printableAscii.test(cut)) return cut.trim();
  return cut
    .toWellFormed()
    .replace(/[\r\n\t\u2028\u2029]+/gu, ' ')
    .replace(eachHidden, escaped)
    .trim();
}

/** Makes hostile text of several lines safe: as {@link oneLine}, but keeps line breaks and tabs and cuts nothing. */
export function visibleLines(text: string): string {
  return printableAsciiLines.test(text) ? text : text.toWellFormed().replace(eachHiddenButLines, escaped);
}

/**
 * Returns a value as one line of JSON with a line break. Hidden characters are escaped; parsing returns the same value.
 */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value);
  if (printableAscii.test(json)) return `${json}\n`;
  // JSON escapes a character above U+FFFF as two halves.
  const halves = (char: string): string =>
    Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  return `${json.replace(eachHidden, halves)}\n`;
}

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}
