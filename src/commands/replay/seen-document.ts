import type { RecordedCall } from './recorded-call.js';

/** Why an event, or the answer of one handler, cannot be reproduced. */
export interface NotComparable {
  readonly why: string;
}

/** Returns the document that the handler at index `at` of a record received, if the journal has it. */
export function documentSeenBy(
  recorded: RecordedCall,
  at: number,
): { readonly document: Buffer | null; readonly redacted: boolean } | NotComparable {
  const { call, record } = recorded;
  if (record === null) return { document: call.document, redacted: false };
  const replacers = record.handlers.flatMap((one, place) =>
    one.mode === 'enforce' && one.outcome === 'replace' ? [place] : [],
  );
  const last = replacers.filter((place) => place < at).at(-1);
  if (last === undefined) {
    if (record.document !== null && call.document === null) return { why: 'its document is not stored' };
    return { document: call.document, redacted: record.document?.redacted ?? false };
  }
  // Only the last replacement is stored.
  const document = last === replacers.at(-1) ? recorded.replacement() : null;
  if (document === null) return { why: 'it received a document of another handler, which is not stored' };
  return { document, redacted: record.replacement?.redacted ?? false };
}

/** Returns the sha256 of the replacement by the handler at index `at`, if the journal has it unredacted. */
export function replacementBy({ record }: RecordedCall, at: number): string | null {
  const ref = record?.replacement ?? null;
  if (record === null || ref === null || ref.redacted) return null;
  const last = record.handlers.findLastIndex(({ mode, outcome }) => mode === 'enforce' && outcome === 'replace');
  return last === at ? ref.sha256 : null;
}
