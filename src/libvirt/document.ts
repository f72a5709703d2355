import type * as libxml2 from 'libxml2-wasm';
import type { ParseOption, XmlDocument } from 'libxml2-wasm';
import { messageOf } from '../errors.js';
import { bounds } from '../limits.js';
import { oneLine } from '../text.js';
import { whyNotPlain, whyPrologNotPlain } from './plain-xml.js';
import { parseUuid } from './uuid.js';

type Xml = typeof libxml2;

/**
 * Longest and deepest XPath expression that is evaluated. libxml2 works on expressions by recursion, and its WebAssembly
 * stack has no guard: 250 nested predicates were seen to corrupt its memory, 64 of anything were not.
 */
const xpathChars = 1_024;
const xpathDepth = 64;

/** Why an XPath expression has no answer; the cases of `select-error` in wit/document.wit. */
export type SelectError =
  | { readonly tag: 'no-document' }
  | { readonly tag: 'not-xml'; readonly val: string }
  | { readonly tag: 'bad-xpath'; readonly val: string }
  | { readonly tag: 'too-large' };

export type Selection = { readonly ok: readonly string[] } | { readonly error: SelectError };

/** One document, parsed at the first question and kept until it is closed. */
export interface OpenDocument {
  /**
   * XPath 1.0: the string value of each node found, in document order, or one string for a number, string or boolean.
   * The namespace prefixes are those that the root element declares.
   */
  select(xpath: string): Selection;
  /** Frees libxml2's memory of it. Idempotent. */
  close(): void;
}

/** What libxml2 does for us, synchronously, once it is loaded. No entity is expanded and nothing is fetched. */
export interface XmlTools {
  open(document: Buffer): OpenDocument;
  /**
   * Why the replacement must not reach libvirt, or null when it may: it must be plain XML (see whyNotPlain), so that
   * libvirt sees in it what was seen here and what later handlers see, with the root element, the name and the UUID of
   * the original. Source: libvirt compares name and UUID itself and fails the operation otherwise
   * (virDomainDefCheckABIStabilityFlags in src/conf/domain_conf.c, called by qemuMigrationDstPrepareAny and
   * qemuSaveImageUpdateDef; qemuDomainObjRestore compares once more). The name is compared byte for byte
   * (STRNEQ_NULLABLE), of `string(./name[1])`, which nothing trims (virDomainDefParseIDs).
   */
  checkReplacement(original: Buffer, replacement: Buffer): string | null;
}

/** Loads libxml2, which is WebAssembly itself, at the first call; later calls are free. */
export function loadXml(): Promise<XmlTools> {
  loading ??= importQuietly().then((xml) => ({
    open: (document) => openDocument(xml, document),
    checkReplacement: (original, replacement) => checkReplacement(xml, original, replacement),
  }));
  return loading;
}

let loading: Promise<XmlTools> | undefined;

/** Decodes as libxml2 encodes: a text that begins with U+FEFF keeps it. TextDecoder drops it unless it is told not to. */
class ExactDecoder extends TextDecoder {
  constructor(label?: string) {
    super(label, { ignoreBOM: true });
  }
}

/**
 * Sets what libxml2-wasm takes from the global object when it is loaded. It prints each bad expression to `console.error`,
 * besides reporting it: a plugin could flood the log of its runner. And its TextDecoder would hide from guards, and from
 * the comparison of names, a U+FEFF that libvirt sees.
 */
async function importQuietly(): Promise<Xml> {
  const { console, TextDecoder } = globalThis;
  globalThis.console = { ...console, error: () => undefined };
  globalThis.TextDecoder = ExactDecoder;
  try {
    return await import('libxml2-wasm');
  } finally {
    globalThis.console = console;
    globalThis.TextDecoder = TextDecoder;
  }
}

function openDocument(xml: Xml, bytes: Buffer): OpenDocument {
  let parsed: XmlDocument | string | undefined;
  return {
    select: (xpath) => {
      parsed ??= parse(xml, bytes);
      return typeof parsed === 'string' ? { error: { tag: 'not-xml', val: parsed } } : select(xml, parsed, xpath);
    },
    close: () => {
      if (typeof parsed === 'object') parsed.dispose();
      parsed = 'the document is closed';
    },
  };
}

/** The parsed document, to be disposed of by the caller, or why it is not one. */
function parse(xml: Xml, bytes: Buffer): XmlDocument | string {
  const problem = whyPrologNotPlain(bytes);
  if (problem !== null) return `it ${problem}`;
  const { XML_PARSE_NONET, XML_PARSE_NO_XXE, XML_PARSE_NOERROR, XML_PARSE_NOWARNING } = xml.ParseOption;
  // Flags are added up, which the enum's type does not provide for.
  const option = (XML_PARSE_NONET | XML_PARSE_NO_XXE | XML_PARSE_NOERROR | XML_PARSE_NOWARNING) as ParseOption;
  try {
    // The encoding is said here, so that one declared in the document cannot make it mean something else.
    const document = xml.XmlDocument.fromBuffer(bytes, { encoding: 'UTF-8', option });
    if (document.dtd === null) return document;
    document.dispose();
    return 'it declares a document type';
  } catch (error) {
    return oneLine(messageOf(error), 200) || 'it is not well-formed';
  }
}

function select(xml: Xml, document: XmlDocument, xpath: string): Selection {
  if (xpath.length > xpathChars) return badXpath(`it is longer than ${xpathChars} characters`);
  if (depth(xpath) > xpathDepth) return badXpath(`it is nested deeper than ${xpathDepth}`);
  // libxml2 reads a C string: what stands behind a NUL would be ignored in silence.
  if (xpath.includes('\0')) return badXpath('it holds a NUL character');
  try {
    const compiled = xml.XmlXPath.compile(xpath, rootNamespaces(document));
    try {
      const found = document.eval(compiled);
      if (!Array.isArray(found)) return bounded(1, [String(found)]);
      // libxml2 has freed the nodes of the namespace axis by now: they are no part of the tree. Their class is not exported.
      if (found.some((node) => node.constructor.name === 'XmlNamespaceDeclNode')) {
        return badXpath('it selects namespace nodes');
      }
      return bounded(found.length, contents(found));
    } finally {
      compiled.dispose();
    }
  } catch (error) {
    return badXpath(oneLine(messageOf(error), 300));
  }
}

/** Deepest nesting of brackets; those inside a literal count too, which errs on the safe side. */
function depth(xpath: string): number {
  let open = 0;
  let deepest = 0;
  for (const char of xpath) {
    if (char === '(' || char === '[') deepest = Math.max(deepest, (open += 1));
    // A closing bracket in a literal must not make room for more.
    else if ((char === ')' || char === ']') && !/["']/u.test(xpath)) open -= 1;
  }
  return deepest;
}

function* contents(nodes: readonly { readonly content: string }[]): Generator<string> {
  for (const node of nodes) yield node.content;
}

function bounded(count: number, strings: Iterable<string>): Selection {
  if (count > bounds.selectNodes) return { error: { tag: 'too-large' } };
  const ok: string[] = [];
  let bytes = 0;
  for (const text of strings) {
    bytes += Buffer.byteLength(text);
    if (bytes > bounds.selectBytes) return { error: { tag: 'too-large' } };
    ok.push(text);
  }
  return { ok };
}

function badXpath(val: string): Selection {
  return { error: { tag: 'bad-xpath', val } };
}

function rootNamespaces(document: XmlDocument): Record<string, string> {
  return Object.fromEntries(Object.entries(document.root.nsDeclarations).filter(([prefix]) => prefix !== ''));
}

/** The object that a document describes: the root itself, or the network inside a network hook's `hookData`. */
const objectPath = { hookData: '/hookData/network' } as const;

interface Identity {
  readonly root: string;
  readonly name: string;
  /** As libvirt writes it; the text itself when libvirt cannot read it as one. */
  readonly uuid: string;
}

function identify(xml: Xml, bytes: Buffer): Identity | string {
  const problem = whyNotPlain(bytes);
  if (problem !== null) return `it ${problem}`;
  const document = parse(xml, bytes);
  if (typeof document === 'string') return `it is not XML: ${document}`;
  try {
    const root = document.root.name;
    const path = root === 'hookData' ? objectPath.hookData : '/*';
    const text = (child: string): string => String(document.eval(`string(${path}/${child})`));
    const uuid = text('uuid');
    return { root, name: text('name'), uuid: parseUuid(uuid) ?? uuid };
  } finally {
    document.dispose();
  }
}

function checkReplacement(xml: Xml, original: Buffer, replacement: Buffer): string | null {
  const before = identify(xml, original);
  if (typeof before === 'string') return `the document to be replaced cannot be read: ${before}`;
  const after = identify(xml, replacement);
  if (typeof after === 'string') return `${after}; write XML 1.0 in UTF-8`;
  const shown = (text: string): string => oneLine(text, 80);
  for (const [what, key] of [
    ['root element', 'root'],
    ['name', 'name'],
    ['UUID', 'uuid'],
  ] as const) {
    if (before[key] !== after[key]) {
      return `its ${what} is '${shown(after[key])}', the document to be replaced has '${shown(before[key])}'`;
    }
  }
  return null;
}
