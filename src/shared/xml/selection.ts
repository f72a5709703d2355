import { bounds } from '../../contract/limits.js';

/** The reasons why an XPath expression has no result; the cases of `select-error` in wit/document.wit. */
export type SelectError =
  | { readonly tag: 'no-document' }
  | { readonly tag: 'not-xml'; readonly val: string }
  | { readonly tag: 'bad-xpath'; readonly val: string }
  | { readonly tag: 'too-large' };

export type Selection = { readonly ok: readonly string[] } | { readonly error: SelectError };

/** Returns strings as a result, or `too-large`. Creates no more of them than the result may contain. */
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
