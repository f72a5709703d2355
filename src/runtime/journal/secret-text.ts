/** Secrets that are recognised by their form, anywhere in a document. */

/** References to a character. */
const references = (char: string): string => {
  const code = char.charCodeAt(0);
  return `&#0{0,6}${code};|&#x0{0,6}${code.toString(16)};`;
};
const written = (char: string): string => `(?:${char}|${references(char)})`;
const [colon, slash, at] = [written(':'), written('/'), written('@')];
// Both stop at the next slash, in any form, so each character is examined for at most two URLs.
const userChars = `(?:(?!${references(':')}|${references('/')})&#|[^\\s/?#@:"'<>]){0,1024}`;
const passwordChars = `(?:(?!${references('/')})&#|[^\\s/?#"'<>]){1,16384}`;
/** `://user:password@`, up to the last @ before the path: a password may contain one. */
const userInfo = new RegExp(`${colon}${slash}${slash}${userChars}${colon}(${passwordChars})${at}`, 'dgiu');

/** A private key in PEM (RFC 7468) or a file for cloud-init. */
const wholeText = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----|#cloud-config/u;

/** Tells whether the whole text, as written, is a secret. */
export function isSecretText(text: string): boolean {
  return wholeText.test(text);
}

/** Tells whether a text may contain a URL with a password. */
export function mayHaveUrl(text: string): boolean {
  return text.includes('@') || text.includes('&#');
}

/** Finds the passwords in URLs, in a text as written. */
export function passwordsInUrls(text: string): { readonly from: number; readonly to: number }[] {
  if (!mayHaveUrl(text)) return [];
  return Array.from(text.matchAll(userInfo), ({ indices }) => {
    const [from, to] = indices?.[1] ?? [0, 0];
    return { from, to };
  });
}
