import type * as libxml2 from 'libxml2-wasm';
import type { ParseOption, XmlDocument } from 'libxml2-wasm';
import { messageOf } from '../../contract/errors.js';
import { oneLine } from '../../contract/text.js';
import { whyNotPlain, whyPrologNotPlain } from './plain-xml.js';
import type { Selection } from './selection.js';
import { parseUuid } from './uuid.js';
import { ampleBudget } from './xpath/budget.js';
import type { Budget } from './xpath/budget.js';
import { readingBytes, readingSteps, sizeOfDocument } from './xpath/document-size.js';
import type { DocumentSize } from './xpath/document-size.js';
import { heapOf } from './xpath/heap.js';
import type { ViewOfTable } from './xpath/heap.js';
import { askingSteps, selectFrom } from './xpath/select.js';
import { XmlTree } from './xpath/tree.js';

type Xml = typeof libxml2 & { readonly viewOfTable: ViewOfTable };

/** One document, parsed at the first question and kept until it is closed. */
export interface OpenDocument {
  /**
   * XPath 1.0 as far as docs/xpath.md says: the string value of each node found, in document order, or one string for a
   * number, string or boolean. The namespace prefixes are those that the root element declares. Throws BudgetSpent.
   */
  select(xpath: string, budget?: Budget): Selection;
  /** Frees libxml2's memory of it. Idempotent. */
  close(): void;
}

/** What libxml2 does for us, synchronously, once it is loaded. No entity is expanded and nothing is fetched. */
export interface XmlTools {
  readonly open: (document: Buffer) => OpenDocument;
  /**
   * Why the replacement must not reach libvirt, or null when it may: it must be plain XML (see whyNotPlain), so that
   * libvirt sees in it what was seen here and what later handlers see, with the root element, the name and the UUID of
   * the original. Source: libvirt compares name and UUID itself and fails the operation otherwise
   * (virDomainDefCheckABIStabilityFlags in src/conf/domain_conf.c, called by qemuMigrationDstPrepareAny and
   * qemuSaveImageUpdateDef; qemuDomainObjRestore compares once more). The name is compared byte for byte
   * (STRNEQ_NULLABLE), of `string(./name[1])`, which nothing trims (virDomainDefParseIDs).
   */
  readonly checkReplacement: (original: Buffer, replacement: Buffer) => string | null;
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
    const [xml, { XmlNodeSetStruct }] = await Promise.all([
      import('libxml2-wasm'),
      import('libxml2-wasm/lib/libxml2.mjs'),
    ]);
    return { ...xml, viewOfTable: (address, size) => XmlNodeSetStruct.nodeTable(address, size) };
  } finally {
    globalThis.console = console;
    globalThis.TextDecoder = TextDecoder;
  }
}

interface Parsed {
  readonly document: XmlDocument;
  readonly tree: XmlTree;
}

function openDocument(xml: Xml, bytes: Buffer): OpenDocument {
  let size: DocumentSize | null = null;
  let parsed: Parsed | string | undefined;
  const read = (budget: Budget): Parsed | string => {
    if (size === null) {
      // Before it is looked at: even counting what is in a large document takes its time.
      budget.spend(bytes.length);
      const counted = sizeOfDocument(bytes);
      budget.spend(readingSteps(counted) - bytes.length);
      size = counted;
    }
    budget.allocate(readingBytes(size));
    if (parsed !== undefined) return parsed;
    const document = parse(xml, bytes);
    if (typeof document === 'string') return (parsed = document);
    return (parsed = { document, tree: new XmlTree(document, size, heapOf(document, xml.viewOfTable)) });
  };
  return {
    select: (xpath, budget = ampleBudget()) => {
      budget.spend(askingSteps(xpath));
      const document = read(budget);
      if (typeof document === 'string') return { error: { tag: 'not-xml', val: document } };
      return selectFrom({ tree: document.tree, budget }, xpath);
    },
    close: () => {
      if (typeof parsed === 'object') parsed.document.dispose();
      parsed = 'the document is closed';
    },
  };
}

/** The parsed document, to be disposed of by the caller, or why it is not one. */
function parse(xml: Xml, bytes: Buffer): XmlDocument | string {
  const problem = whyPrologNotPlain(bytes);
  if (problem !== null) return `it ${problem}`;
  const { XML_PARSE_NONET, XML_PARSE_NO_XXE, XML_PARSE_NOERROR, XML_PARSE_NOWARNING, XML_PARSE_SKIP_IDS } =
    xml.ParseOption;
  // Nobody asks for an element by its xml:id, and a table of them takes longer than all the rest.
  // Flags are added up, which the enum's type does not provide for.
  const option = (XML_PARSE_NONET |
    XML_PARSE_NO_XXE |
    XML_PARSE_NOERROR |
    XML_PARSE_NOWARNING |
    XML_PARSE_SKIP_IDS) as ParseOption;
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
    const text = (child: string): string => {
      const found = document.eval(`string(${path}/${child})`);
      return typeof found === 'string' ? found : '';
    };
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
