/** Attributes whose values are secrets; of `secret` those that are no reference (a UUID) to a secret elsewhere. */
const secretAttributes = new Set(['passwd', 'password', 'passphrase', 'secret']);

/** Elements whose text is a secret, also the text of elements inside them. */
const secretElements = new Set(['passwd', 'password', 'passphrase', 'secret', 'cookie']);

/** What stands in the place of a secret, whatever its length. */
export const redactedMark = '***';

const needles = ['passw', 'passphrase', 'secret', 'cookie'];
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu;
const space = '[ \\t\\r\\n]';
const word = '[^ \\t\\r\\n/>=\'"<]+';
const tagStart = new RegExp(`</?(${word})`, 'uy');
const tagEnd = new RegExp(`${space}*(/?)>`, 'uy');
const attribute = new RegExp(`${space}+(${word})${space}*=${space}*(["'])`, 'uy');

/** Markup that is skipped as a whole, by how it begins and ends. CDATA is text, and handled as such. */
const skipped = [
  ['<!--', '-->'],
  ['<?', '?>'],
  ['<!', '>'],
] as const;

/**
 * The document with its secrets blanked, every other byte as it was; the document itself when it has none. Null when
 * that cannot be done: it may hold secrets and is not XML, or not in an encoding that ASCII is a part of.
 *
 * One pass over the bytes without an XML parser: it runs for each event, and the document is hostile.
 */
export function redact(document: Buffer): Buffer | null {
  // In UTF-16 and UTF-32 every ASCII character has a NUL beside it; in UTF-8 there is none.
  if (document.includes(0)) return null;
  if (!needles.some((needle) => document.includes(needle))) return document;
  const cuts = findSecrets(document.toString('latin1'));
  if (cuts === null) return null;
  if (cuts.length === 0) return document;
  const parts: Buffer[] = [];
  let kept = 0;
  for (const { from, to } of cuts) {
    parts.push(document.subarray(kept, from), Buffer.from(redactedMark));
    kept = to;
  }
  return Buffer.concat([...parts, document.subarray(kept)]);
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Where the secrets are, in order. `text` has one character for each byte. Null when it is not XML. */
function findSecrets(text: string): Span[] | null {
  const cuts: Span[] = [];
  /** How many elements are open, counted from one whose text is secret; 0 outside. */
  let depth = 0;
  let at = 0;
  const cut = (from: number, to: number): void => {
    if (text.slice(from, to).trim() !== '') cuts.push({ from, to });
  };
  for (;;) {
    const open = text.indexOf('<', at);
    if (open === -1) return depth > 0 ? null : cuts;
    if (depth > 0) cut(at, open);
    if (text.startsWith('<![CDATA[', open)) {
      const end = text.indexOf(']]>', open);
      if (end === -1) return null;
      if (depth > 0) cut(open + '<![CDATA['.length, end);
      at = end + ']]>'.length;
      continue;
    }
    const markup = skipped.find(([begin]) => text.startsWith(begin, open));
    if (markup !== undefined) {
      const end = text.indexOf(markup[1], open + markup[0].length);
      if (end === -1) return null;
      // What stands in a comment inside a secret is as secret.
      if (depth > 0) cut(open + markup[0].length, end);
      at = end + markup[1].length;
      continue;
    }
    const tag = readTag(text, open);
    if (tag === null) return null;
    for (const one of tag.secrets) cut(one.from, one.to);
    at = tag.end;
    if (tag.closing) depth = Math.max(0, depth - 1);
    else if (!tag.empty && (depth > 0 || secretElements.has(tag.name))) depth += 1;
  }
}

interface Tag {
  readonly name: string;
  readonly closing: boolean;
  readonly empty: boolean;
  readonly secrets: readonly Span[];
  readonly end: number;
}

function readTag(text: string, open: number): Tag | null {
  const start = matchAt(tagStart, text, open);
  if (start === null) return null;
  const secrets: Span[] = [];
  let at = open + start[0].length;
  for (let found = matchAt(attribute, text, at); found !== null; found = matchAt(attribute, text, at)) {
    const [whole, name = '', quote = ''] = found;
    const from = at + whole.length;
    const to = text.indexOf(quote, from);
    if (to === -1) return null;
    at = to + 1;
    if (isSecret(localName(name), text, { from, to })) secrets.push({ from, to });
  }
  const end = matchAt(tagEnd, text, at);
  if (end === null) return null;
  return {
    name: localName(start[1] ?? ''),
    closing: text[open + 1] === '/',
    empty: end[1] === '/',
    secrets,
    end: at + end[0].length,
  };
}

function isSecret(name: string, text: string, { from, to }: Span): boolean {
  return secretAttributes.has(name) && !(name === 'secret' && uuid.test(text.slice(from, to)));
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}
