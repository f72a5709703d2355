import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as libxml2 from 'libxml2-wasm';
import { loadXml } from '../../../src/shared/xml/document.js';
import { whyNotPlain } from '../../../src/shared/xml/plain-xml.js';

const { checkReplacement, open } = await loadXml();

const body = (inside = ''): string => `<domain><name>web</name>${inside}<title>caf\u00e9</title></domain>`;
const declared = (encoding: string, inside: string): string =>
  `<?xml version="1.0" encoding="${encoding}"?>\n${body(inside)}`;
const ascii = (text: string): string => text.replaceAll('\u00e9', 'e');

/** UTF-16's units, most significant byte first. */
function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}
function utf32(text: string): Buffer {
  const points = Array.from(text, (char) => char.codePointAt(0) ?? 0);
  const bytes = Buffer.alloc(4 * points.length);
  points.forEach((point, index) => bytes.writeUInt32LE(point, 4 * index));
  return bytes;
}
function iconv(text: string, to: string): Buffer {
  const { status, stdout } = spawnSync('iconv', ['-f', 'UTF-8', '-t', to], { input: text });
  if (status !== 0) throw new Error(`iconv does not know ${to}`);
  return stdout;
}

/** A hostdev that a reader of UTF-8 does not see: in the one it is text, in the other it is inside an instruction. */
const inUtf7 = '<description>+ADw-/description+AD4APA-hostdev/+AD4APA-description+AD4-</description>';
const inShiftJis = '<![CDATA[\u00c1]]><?x ]]><hostdev/><?y ?>';

/** What an attacker may try: the document, and part of the reason why it is refused. */
const tricks: readonly (readonly [title: string, document: Buffer | string, reason: RegExp])[] = [
  ['UTF-7', ascii(declared('UTF-7', inUtf7)), /declares the encoding 'UTF-7'/u],
  ['UTF-7 in lower case and single quotes', ascii(declared('UTF-7', inUtf7)).replaceAll('"', "'"), /'UTF-7'/u],
  ['UTF-7 by an alias', ascii(declared('UNICODE-1-1-UTF-7', inUtf7)), /declares the encoding/u],
  ['UTF-7 after spaces', ascii(declared('UTF-7', inUtf7)).replace(' encoding=', '\n\t encoding \r\n = '), /'UTF-7'/u],
  [
    'UTF-7 in a declaration that is longer than one looks',
    ascii(declared('UTF-7', inUtf7)).replace('xml ', `xml${' '.repeat(10_000)}`),
    /XML declaration/u,
  ],
  ['UTF-7 before standalone', ascii(declared('UTF-7', inUtf7)).replace('?>', " standalone='yes'?>"), /'UTF-7'/u],
  ['UTF-7 without a version', ascii(declared('UTF-7', inUtf7)).replace(' version="1.0"', ''), /XML declaration/u],
  ['UTF-7 in a second declaration', `<?xml version="1.0"?>${ascii(declared('UTF-7', inUtf7))}`, /is not XML/u],
  ['UTF-7 in a declaration after an instruction', `<?a?>${ascii(declared('UTF-7', inUtf7))}`, /is not XML/u],
  ['UTF-7 in a declaration after a comment', `<!---->${ascii(declared('UTF-7', inUtf7))}`, /is not XML/u],
  ['UTF-7 in a declaration after a space', ` ${ascii(declared('UTF-7', inUtf7))}`, /is not XML/u],
  ['UTF-8, then UTF-7', ascii(declared('UTF-8" encoding="UTF-7', inUtf7)), /XML declaration/u],
  ['Shift-JIS, whose characters swallow brackets', declared('SHIFT_JIS', inShiftJis), /'SHIFT_JIS'/u],
  ['ISO-8859-1', declared('ISO-8859-1', ''), /'ISO-8859-1'/u],
  ['a declaration of UTF-16 over UTF-8', declared('UTF-16', '<hostdev/>'), /'UTF-16'/u],
  ['UTF-16, little end first, marked', Buffer.from(`\ufeff${body('<hostdev/>')}`, 'utf16le'), /NUL/u],
  ['UTF-16, big end first, marked', utf16be(`\ufeff${body('<hostdev/>')}`), /NUL/u],
  ['UTF-16 without a mark', Buffer.from(declared('UTF-16', '<hostdev/>'), 'utf16le'), /NUL/u],
  ['UTF-16, big end first, without a mark', utf16be(declared('UTF-16BE', '<hostdev/>')), /NUL/u],
  ['UTF-32', utf32(declared('UTF-32', '<hostdev/>')), /NUL/u],
  ['UTF-32, marked', utf32(`\ufeff${body('<hostdev/>')}`), /NUL/u],
  ['EBCDIC', iconv(ascii(declared('IBM037', '<hostdev/>')), 'IBM037'), /not valid UTF-8/u],
  ['ISO-2022-KR', iconv(ascii(declared('ISO-2022-KR', '<hostdev/>')), 'ISO-2022-KR'), /not XML/u],
  ['HZ', ascii(declared('HZ', '~{<:~}')), /'HZ'/u],
  ['a name that no encoding has', ascii(declared('x', '')), /declares the encoding 'x'/u],
  ['a mark of UTF-8', `\ufeff${body()}`, /byte order mark/u],
  ['a mark of UTF-8 and a declaration of UTF-7', `\ufeff${ascii(declared('UTF-7', inUtf7))}`, /byte order mark/u],
  ['a NUL at the end, and what libvirt does not read', Buffer.from(`${body()}\0<hostdev/>`), /NUL/u],
  ['a NUL between', Buffer.from(body('\0')), /NUL/u],
  ['XML 1.1, where U+0085 ends a line', `<?xml version="1.1"?>${body('\u0085')}`, /XML declaration/u],
  ['XML 1.5', `<?xml version="1.5"?>${body()}`, /XML declaration/u],
  ['an overlong form', Buffer.from(ascii(body('\u00c0\u00bchostdev/>')), 'latin1'), /not valid UTF-8/u],
  ['a lone surrogate', Buffer.from(ascii(body('\u00ed\u00a0\u0080')), 'latin1'), /not valid UTF-8/u],
  ['half a character at the end', Buffer.concat([Buffer.from(body()), Buffer.from([0xc3])]), /not valid UTF-8/u],
  ['US-ASCII that is none', declared('US-ASCII', ''), /US-ASCII/u],
  ['a document type', `<!DOCTYPE domain [<!ENTITY h "<hostdev/>">]>${body('&h;')}`, /document type/u],
  ['a document type behind comments', `<!-- > --><!---->\n<?a <?><!DOCTYPE domain>${body()}`, /document type/u],
  ['an entity that nothing declares', body('&h;'), /is not XML/u],
  ['a reference to U+FFFE', body('&#xfffe;'), /is not XML/u],
];

const harmless: readonly (readonly [title: string, document: string])[] = [
  ['no declaration', body('<hostdev/>')],
  ['UTF-8', declared('UTF-8', '<hostdev/>')],
  ['utf-8', declared('utf-8', '')],
  ['US-ASCII', ascii(declared('us-ascii', '<hostdev/>'))],
  ['standalone', declared('UTF-8', '').replace('?>', " standalone = 'no' ?>")],
  ['version alone', `<?xml version='1.0'?>${body()}`],
  ['U+0085, U+2028 and U+FEFF inside', body('\u0085\u2028\ufeff')],
  ['what would be UTF-7', ascii(body(inUtf7))],
  ['what would be Shift-JIS', body(inShiftJis)],
  ['another instruction first', `<?xml-stylesheet encoding="UTF-7"?>${ascii(body(inUtf7))}`],
  ['a comment with a declaration first', `<!--<?xml version="1.0" encoding="UTF-7"?>-->${ascii(body(inUtf7))}`],
  ['references', body('<a b="&#60;&#x26;&#13;&lt;">&#9;&amp;&#x1f600;</a>')],
  ['namespaces', body('<q:a xmlns:q="urn:u" q:b="c"/><a xmlns="urn:u"/>')],
  ['line ends', body('a\r\nb\rc\n<a b="1\r\n2"/>')],
];

/** What libvirt's parser makes of it, which guesses and obeys the encoding: canonical XML, or null when it refuses. */
function seenByLibxml2(document: Buffer | string): string | null {
  const { error, status, stdout } = spawnSync('xmllint', ['--nonet', '--c14n', '-'], { input: document });
  if (error !== undefined) throw new Error("Cannot run 'xmllint'; install libxml2-utils", { cause: error });
  return status === 0 ? stdout.toString() : null;
}

/** What a reader of UTF-8 makes of it. */
function seenInUtf8(document: Buffer | string): string | null {
  try {
    const parsed = libxml2.XmlDocument.fromBuffer(Buffer.from(document), { encoding: 'UTF-8' });
    const text = parsed.canonicalizeToString({ withComments: true });
    parsed.dispose();
    return text;
  } catch {
    return null;
  }
}

describe('a replacement', () => {
  const original = Buffer.from(body());

  it.each(tricks)('in %s is refused', (_, document, reason) => {
    expect(checkReplacement(original, Buffer.from(document))).toMatch(reason);
  });

  it.each(harmless)('with %s is taken, and libvirt sees in it what everybody sees', (_, document) => {
    expect(checkReplacement(original, Buffer.from(document))).toBeNull();
    expect(seenByLibxml2(document)).not.toBeNull();
    expect(seenByLibxml2(document)).toBe(seenInUtf8(document));
  });

  it('would be read in two ways in many of these tricks, so refusing them is not for nothing', () => {
    const differ = tricks.filter(([, document]) => {
      const seen = seenByLibxml2(document);
      return seen?.includes('<hostdev></hostdev>') === true && seenInUtf8(document)?.includes('<hostdev>') !== true;
    });
    const titles = differ.map(([title]) => title);
    for (const title of ['UTF-7', 'UTF-7 after spaces', 'Shift-JIS, whose characters swallow brackets', 'EBCDIC']) {
      expect(titles).toContain(title);
    }
    expect(titles.length).toBeGreaterThan(8);
  });

  it('is refused wherever the two readings differ, for encodings and bytes of any kind', () => {
    const names = [
      'UTF-7',
      'SHIFT_JIS',
      'BIG5',
      'GBK',
      'EUC-KR',
      'ISO-2022-JP',
      'UTF-16LE',
      'KOI8-R',
      'UTF-8',
      'ASCII',
    ];
    const insides = [inUtf7, inShiftJis, '\u00c1@', '\u001b$B<!\u001b(B', '+AAA-', '~{', '\u007f'];
    for (const inside of insides) {
      for (const document of [body(inside), ...names.map((name) => declared(name, inside))]) {
        if (checkReplacement(original, Buffer.from(document)) !== null) continue;
        expect(seenByLibxml2(document), document).toBe(seenInUtf8(document));
      }
    }
  });
});

describe('a document from libvirt', () => {
  it.each(tricks)('in %s is not shown to a plugin as what it is not', (_, document) => {
    const bytes = Buffer.from(document);
    const opened = open(bytes);
    expect(whyNotPlain(bytes) ?? opened.select('/*')).not.toHaveProperty('ok');
    opened.close();
  });

  it.each(harmless)('with %s is plain', (_, document) => {
    expect(whyNotPlain(Buffer.from(document))).toBeNull();
  });

  it('hides no document type behind comments', () => {
    const comment = `<!--${'x'.repeat(1_000_000)}-->`;
    expect(whyNotPlain(Buffer.from(`${comment}<!DOCTYPE a><a/>`))).toBe('declares a document type');
    expect(whyNotPlain(Buffer.from(`<!-->-->\n<!DOCTYPE a><a/>`))).toBe('declares a document type');
    expect(whyNotPlain(Buffer.from('<a>&lt;!DOCTYPE a></a>'))).toBeNull();
  });
});
