import { isUtf8 } from 'node:buffer';
import { createHmac, hash } from 'node:crypto';
import type { DocumentRef, LineBody } from './record.js';
import { journalVersion } from './record.js';
import { redact } from './redact.js';

/** The reference to a document, and its line, which is written unless the segment already contains it. */
export interface Stored {
  readonly ref: DocumentRef;
  readonly line: (LineBody & { readonly type: 'document' }) | null;
}

export interface StoreOptions {
  readonly redact: boolean;
  /**
   * Key of the journal. With the plain digest of a redacted document, any reader of the journal could verify guesses of
   * the secret: VNC passwords have eight characters.
   */
  readonly key: Buffer;
}

/** Prepares a document for the journal. */
export function toStore(document: Buffer, options: StoreOptions): Stored {
  const bytes = document.length;
  const kept = options.redact ? redact(document) : document;
  if (kept === document) {
    const sha256 = hash('sha256', document);
    return { ref: { sha256, bytes, redacted: false }, line: lineOf(document, sha256) };
  }
  const original = createHmac('sha256', options.key).update(document).digest('hex');
  if (kept === null) return { ref: { sha256: null, bytes, redacted: true, original }, line: null };
  const sha256 = hash('sha256', kept);
  return { ref: { sha256, bytes, redacted: true, original }, line: lineOf(kept, sha256) };
}

function lineOf(document: Buffer, sha256: string): Stored['line'] {
  const content = isUtf8(document) ? { text: document.toString('utf8') } : { base64: document.toString('base64') };
  return { type: 'document', sha256, v: journalVersion, ...content };
}
