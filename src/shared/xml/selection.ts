import { bounds } from '../../contract/limits.js';

/** Why an XPath expression has no answer; the cases of `select-error` in wit/document.wit. */
export type SelectError =
  | { readonly tag: 'no-document' }
  | { readonly tag: 'not-xml'; readonly val: string }
  | { readonly tag: 'bad-xpath'; readonly val: string }
  | { readonly tag: 'too-large' };

export type Selection = { readonly ok: readonly string[] } | { readonly error: SelectError };

/** Strings as an answer, or `too-large`. No more of them are made than the answer may hold. */
export function boundedSelection(count: number, strings: Iterable<string>): Selection {
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
