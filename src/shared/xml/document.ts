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

/** One document, which the first query parses and which stays in memory until it is closed. */
export interface OpenDocument {
  /**
   * Evaluates an expression of the subset of XPath 1.0 in docs/xpath.md. Returns the string value of each node found,
   * in document order, or one string for a number, string or boolean. Prefixes are those that the root element
   * declares. Throws BudgetSpent.
   */
  select(xpath: string, budget?: Budget): Selection;
  /** Frees libxml2's memory for the document. Idempotent. */
  close(): void;
}

/** libxml2's functions, synchronous once it is loaded. They do not expand entities and do not fetch anything. */
export interface XmlTools {
  readonly open: (document: Buffer) => OpenDocument;
  /**
   * Returns the reason why the replacement must not reach libvirt, or null if it may. It must be plain XML (see
   * whyNotPlain), so that libvirt and later handlers read what was checked here, and must have the root element, the
   * name and the UUID of the original. Source: libvirt compares name and UUID itself and otherwise fails the operation
   * (virDomainDefCheckABIStabilityFlags in src/conf/domain_conf.c, called by qemuMigrationDstPrepareAny and
   * qemuSaveImageUpdateDef; qemuDomainObjRestore compares once more). It compares the name byte for byte
   * (STRNEQ_NULLABLE), taken untrimmed from `string(./name[1])` (virDomainDefParseIDs).
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

/** Decodes texts as libxml2 encodes them, keeping a leading U+FEFF. TextDecoder drops it by default. */
class ExactDecoder extends TextDecoder {
  constructor(label?: string) {
    super(label, { ignoreBOM: true });
  }
}

/**
 * Replaces the globals that libxml2-wasm uses when it is loaded. It prints each invalid expression to `console.error`
 * in addition to reporting it, so a plug-in could flood the log of its runner. Its TextDecoder would hide a U+FEFF that
 * libvirt sees from guards and from the comparison of names.
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
      // Paid for in advance: even counting the contents of a large document takes time.
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

/** Returns the parsed document, which the caller must dispose of, or the reason why it is invalid. */
function parse(xml: Xml, bytes: Buffer): XmlDocument | string {
  const problem = whyPrologNotPlain(bytes);
  if (problem !== null) return `it ${problem}`;
  const { XML_PARSE_NONET, XML_PARSE_NO_XXE, XML_PARSE_NOERROR, XML_PARSE_NOWARNING, XML_PARSE_SKIP_IDS } =
    xml.ParseOption;
  // No query uses xml:id, and building the table of IDs takes longer than the rest of parsing.
  // The enum's type does not allow combined flags.
  const option = (XML_PARSE_NONET |
    XML_PARSE_NO_XXE |
    XML_PARSE_NOERROR |
    XML_PARSE_NOWARNING |
    XML_PARSE_SKIP_IDS) as ParseOption;
  try {
    // An explicit encoding overrides one that the document declares.
    const document = xml.XmlDocument.fromBuffer(bytes, { encoding: 'UTF-8', option });
    if (document.dtd === null) return document;
    document.dispose();
    return 'it declares a document type';
  } catch (error) {
    return oneLine(messageOf(error), 200) || 'it is not well-formed';
  }
}

/** Returns the object that a document describes: the root itself, or the network inside a network hook's `hookData`. */
const objectPath = { hookData: '/hookData/network' } as const;

interface Identity {
  readonly root: string;
  readonly name: string;
  /** Returns a UUID as libvirt writes it; the text itself if libvirt cannot read it as a UUID. */
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
