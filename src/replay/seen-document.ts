import type { RecordedCall } from './recorded-call.js';

/** Why an event, or one handler's part in it, cannot be decided again as it was. */
export interface NotComparable {
  readonly why: string;
}

/** The document that the handler at place `at` of an event's record had before it, as far as the journal has it. */
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
  // Only what the last one made is stored.
  const document = last === replacers.at(-1) ? recorded.replacement() : null;
  if (document === null) return { why: 'it saw a document that another handler made, which is not stored' };
  return { document, redacted: record.replacement?.redacted ?? false };
}

/** sha256 of what the handler at place `at` put in the document's place, where the journal has it as it was. */
export function replacementBy({ record }: RecordedCall, at: number): string | null {
  const ref = record?.replacement ?? null;
  if (record === null || ref === null || ref.redacted) return null;
  const last = record.handlers.findLastIndex(({ mode, outcome }) => mode === 'enforce' && outcome === 'replace');
  return last === at ? ref.sha256 : null;
}
