import { whyPrologNotPlain } from '../../shared/xml/plain-xml.js';
import { anyRule, isSecretAside, isSecretAttribute, placeOf } from './secret-rules.js';
import type { Attribute, Place } from './secret-rules.js';
import { isSecretText, mayHaveUrl, passwordsInUrls } from './secret-text.js';

/** Replaces a secret, regardless of its length. */
export const redactedMark = '***';
/** Replaces a processing instruction, whose first word must be a name. */
const redactedInstruction = '<?redacted?>';

/** Maximum depth. No reader accepts deeper documents: libxml2 stops at 256, or optionally at 2,048. */
const deepest = 2_048;

const space = '[ \\t\\r\\n]';
const word = '[^ \\t\\r\\n/>=\'"<]+';
const tagStart = new RegExp(`</?(${word})`, 'uy');
const tagEnd = new RegExp(`${space}*(/?)>`, 'uy');
const attribute = new RegExp(`${space}+(${word})${space}*=${space}*(["'])`, 'uy');

/**
 * Returns the document with its secrets blanked and all other bytes unchanged, or the document itself if it has none.
 * Null if redaction is impossible: it is not XML, its encoding or a document type could hide a name, or it may contain a
 * secret and is not well-formed.
 *
 * Makes one pass over the bytes without an XML parser: it runs for each event, and the document is hostile.
 */
export function redact(document: Buffer): Buffer | null {
  // In UTF-16 and UTF-32, NUL bytes accompany every ASCII character; UTF-8 has none.
  if (document.includes(0) || whyPrologNotPlain(document) !== null) return null;
  const text = document.toString('latin1');
  // A password in a URL is followed by @, and a name may be written with character references.
  const suspicious = document.includes('@') || document.includes('&#') || anyRule.test(text);
  if (!suspicious) return isMarkup(text) ? document : null;
  const cuts = findSecrets(text);
  if (cuts === null) return null;
  if (cuts.length === 0) return document;
  // Slices of a string: slices of a buffer would take ten times as long.
  const parts: string[] = [];
  let kept = 0;
  for (const { from, to, mark } of cuts) {
    parts.push(text.slice(kept, from), mark);
    kept = to;
  }
  return Buffer.from(parts.join('') + text.slice(kept), 'latin1');
}

/** Tells whether the first and the last non-white-space characters are those of markup. */
function isMarkup(text: string): boolean {
  let last = text.length - 1;
  while (' \t\r\n'.includes(text[last] ?? '!')) last -= 1;
  return text[last] === '>' && /^[ \t\r\n]*</u.test(text);
}

function isBlank(text: string): boolean {
  return !/[^ \t\r\n]/u.test(text);
}

interface Cut {
  readonly from: number;
  readonly to: number;
  readonly mark: string;
}

/** An open element, with the name that its end tag must have. */
interface Open extends Place {
  readonly qname: string;
}

/** Finds the secrets, in order. `text` has one character per byte. Returns null if it is not XML. */
function findSecrets(text: string): Cut[] | null {
  const cuts: Cut[] = [];
  const open: Open[] = [];
  let at = 0;
  // Checked once for the whole document, so that most texts need no check.
  const looked = isSecretText(text) || mayHaveUrl(text);
  const cutText = (from: number, to: number, secret: boolean): void => {
    if (from === to || !(secret || looked)) return;
    const part = text.slice(from, to);
    if (secret || isSecretText(part)) {
      if (!isBlank(part)) cuts.push({ from, to, mark: redactedMark });
      return;
    }
    for (const one of passwordsInUrls(part)) {
      cuts.push({ from: from + one.from, to: from + one.to, mark: redactedMark });
    }
  };
  const closed = (): boolean => (open.at(-1)?.secret ?? 'none') !== 'none';
  for (;;) {
    const start = text.indexOf('<', at);
    const outside = open.length === 0;
    // XML does not allow text outside the root element.
    if (outside && !isBlank(text.slice(at, start === -1 ? text.length : start))) return null;
    if (start === -1) return outside ? cuts : null;
    cutText(at, start, closed());
    const aside = readAside(text, start);
    if (aside === 'unended' || (aside?.kind === 'cdata' && outside)) return null;
    if (aside !== null) {
      const { kind, from, to } = aside;
      at = aside.end;
      const secret = closed() || (kind !== 'cdata' && isSecretAside(text.slice(from, to)));
      if (kind === 'instruction' && secret) cuts.push({ from: start, to: at, mark: redactedInstruction });
      else cutText(from, to, secret);
      continue;
    }
    const tag = readTag(text, start);
    if (tag === null) return null;
    at = tag.end;
    if (tag.closing) {
      if (open.pop()?.qname !== tag.qname) return null;
      continue;
    }
    const place = placeOf(tag.qname, tag.attributes, open.at(-1) ?? null);
    for (const one of tag.attributes) cutText(one.from, one.to, isSecretAttribute(place, one));
    if (!tag.empty && open.push({ ...place, qname: tag.qname }) > deepest) return null;
  }
}

/** Markup other than tags, by its start and end. */
const asides = [
  ['comment', '<!--', '-->'],
  ['instruction', '<?', '?>'],
  ['cdata', '<![CDATA[', ']]>'],
] as const;

interface Aside {
  readonly kind: (typeof asides)[number][0];
  readonly from: number;
  readonly to: number;
  readonly end: number;
}

function readAside(text: string, start: number): Aside | 'unended' | null {
  const next = text[start + 1];
  if (next !== '!' && next !== '?') return null;
  const found = asides.find(([, begin]) => text.startsWith(begin, start));
  if (found === undefined) return null;
  const [kind, begin, close] = found;
  const from = start + begin.length;
  const to = text.indexOf(close, from);
  return to === -1 ? 'unended' : { kind, from, to, end: to + close.length };
}

interface Tag {
  readonly qname: string;
  readonly closing: boolean;
  readonly empty: boolean;
  readonly attributes: readonly (Attribute & { readonly from: number; readonly to: number })[];
  readonly end: number;
}

function readTag(text: string, start: number): Tag | null {
  const begin = matchAt(tagStart, text, start);
  if (begin === null) return null;
  const attributes: (Attribute & { from: number; to: number })[] = [];
  let at = start + begin[0].length;
  for (let found = matchAt(attribute, text, at); found !== null; found = matchAt(attribute, text, at)) {
    const [whole, name = '', quote = ''] = found;
    const from = at + whole.length;
    const to = text.indexOf(quote, from);
    if (to === -1) return null;
    const value = text.slice(from, to);
    if (value.includes('<')) return null;
    at = to + 1;
    attributes.push({ name, value, from, to });
  }
  const end = matchAt(tagEnd, text, at);
  if (end === null) return null;
  const closing = text[start + 1] === '/';
  const empty = end[1] === '/';
  if (closing && (empty || attributes.length > 0)) return null;
  return {
    qname: begin[1] ?? '',
    closing,
    empty,
    attributes,
    end: at + end[0].length,
  };
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}
