/**
 * Characters that show nothing of their own, or that change how others are shown: controls and format characters, those
 * that a font leaves out by default (zero-width characters, tags, fillers, soft hyphens), bidirectional ones, spaces that
 * look like U+0020, line separators, lone surrogates, private use, and what will never be a character. Taken from the
 * Unicode data of this Node (`process.versions.unicode`), so a newer Node may know more of them. Unassigned characters are
 * left: every new version of Unicode assigns some, and terminals show a box for them.
 */
const hidden =
  '(?! )[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Z}\\p{Default_Ignorable_Code_Point}\\p{Bidi_Control}\\p{Noncharacter_Code_Point}]';
const eachHidden = new RegExp(hidden, 'gu');
const eachHiddenButLines = new RegExp(`(?![\\n\\t])${hidden}`, 'gu');
/** Of most texts this tells that there is nothing to do. */
const printableAscii = /^[ -~]*$/u;
const printableAsciiLines = /^[ -~\n\t]*$/u;

/**
 * Makes hostile text safe for one line of a terminal, a log or libvirt's error message: line breaks become spaces, all
 * other characters that hide themselves or move others become visible escapes such as `\u200b` or `\u{e0041}`, lone
 * surrogates become U+FFFD, and what is longer than `maxChars` is cut with an ellipsis.
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

/** The same for text of several lines: line breaks and tabs stay, and nothing is cut. */
export function visibleLines(text: string): string {
  return printableAsciiLines.test(text) ? text : text.toWellFormed().replace(eachHiddenButLines, escaped);
}

/** A value as one line of JSON, with its line break. Hidden characters are escaped; it reads back as the same value. */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value);
  if (printableAscii.test(json)) return `${json}\n`;
  // Of a character beyond U+FFFF, JSON has an escape for each half.
  const halves = (char: string): string =>
    Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  return `${json.replace(eachHidden, halves)}\n`;
}

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}
