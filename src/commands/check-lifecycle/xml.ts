/** Escapes text for an XML element, or an attribute with either quote. */
export function escapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };
  return text.replace(/[&<>"']/gu, (char) => `&${names[char] ?? ''};`);
}

/** Inserts `text` before the last `</element>`; a document without one stays unchanged. */
export function insertAtEnd(xml: string, element: string, text: string): string {
  const at = xml.lastIndexOf(`</${element}>`);
  return at === -1 ? xml : `${xml.slice(0, at)}${text}${xml.slice(at)}`;
}

/** Replaces the first match by `text` literally, without `$` patterns. */
export function replaceFirst(xml: string, pattern: RegExp, text: string): string {
  return xml.replace(pattern, () => text);
}
