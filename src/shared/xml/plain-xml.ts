import { isAscii, isUtf8 } from 'node:buffer';

/**
 * An XML declaration of XML 1.0 (production 23), with its encoding. Parsers accept more, but differ in what they
 * accept.
 */
const declaration =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([\w.-]+)"|'([\w.-]+)'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>/u;
const declarationChars = 256;

const byteOrderMark = Buffer.from('\ufeff');

/** Markup before the root element that is skipped, by its start and its end. */
const skipped = [
  ['<!--', '-->'],
  ['<?', '?>'],
] as const;

/**
 * Returns the reason why two readers could interpret a document differently, or null. Plain XML is UTF-8 without a byte
 * order mark or NUL, XML 1.0 that declares UTF-8, US-ASCII or no encoding, without a document type. libvirt lets
 * libxml2 detect and obey encodings (virXMLParseHelper in src/util/virxml.c specifies none); everyone else reads UTF-8.
 * A document that declares UTF-7 is therefore one document for libvirt and another for a guard. libxml2 reads a plain
 * document like any reader of UTF-8.
 *
 * The text continues a sentence that begins with the document: "declares the encoding 'UTF-7'".
 */
export function whyNotPlain(document: Buffer): string | null {
  // libvirt reads a hook's output as a C string, which ends at the first NUL.
  if (document.includes(0)) return 'contains a NUL byte';
  if (!isUtf8(document)) return 'is not valid UTF-8';
  return whyPrologNotPlain(document);
}

/** Returns the same for the prolog only. The time does not depend on the rest of the document. */
export function whyPrologNotPlain(document: Buffer): string | null {
  if (document.subarray(0, byteOrderMark.length).equals(byteOrderMark)) return 'begins with a byte order mark';
  return declarationProblem(document) ?? (declaresDocumentType(document) ? 'declares a document type' : null);
}

function declarationProblem(document: Buffer): string | null {
  const start = document.toString('latin1', 0, declarationChars);
  // A longer name, such as <?xml-stylesheet, is a processing instruction.
  if (!/^<\?xml(?![\w.:\u0080-\u00ff-])/u.test(start)) return null;
  const found = declaration.exec(start);
  if (found === null) return 'has an XML declaration that is not one of XML 1.0';
  const encoding = found[1] ?? found[2] ?? 'UTF-8';
  if (/^utf-8$/iu.test(encoding)) return null;
  if (!/^us-ascii$/iu.test(encoding)) return `declares the encoding '${encoding}'`;
  return isAscii(document) ? null : 'declares US-ASCII and contains other characters';
}

/** Detected without a parser, so that no entity is even read. */
function declaresDocumentType(document: Buffer): boolean {
  let at = 0;
  for (;;) {
    while (at < document.length && ' \t\r\n'.includes(String.fromCharCode(document[at] ?? 0))) at += 1;
    const next = document.toString('latin1', at, at + '<!DOCTYPE'.length);
    if (next === '<!DOCTYPE') return true;
    const markup = skipped.find(([begin]) => next.startsWith(begin));
    const end = markup === undefined ? -1 : document.indexOf(markup[1], at + markup[0].length);
    if (markup === undefined || end === -1) return false;
    at = end + markup[1].length;
  }
}
