/** Text as it stands in XML, in an element or in an attribute with either quote. */
export function escapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };
  return text.replace(/[&<>"']/gu, (char) => `&${names[char] ?? ''};`);
}

/** Puts `text` right before the last `</element>`; a document without one stays as it is. */
export function insertAtEnd(xml: string, element: string, text: string): string {
  const at = xml.lastIndexOf(`</${element}>`);
  return at === -1 ? xml : `${xml.slice(0, at)}${text}${xml.slice(at)}`;
}

/** Replaces the first match by `text` as it stands. */
export function replaceFirst(xml: string, pattern: RegExp, text: string): string {
  return xml.replace(pattern, () => text);
}
