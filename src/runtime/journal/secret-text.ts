/** Secrets that are known by what they look like, wherever they stand in a document. */

/** References to a character. */
const references = (char: string): string => {
  const code = char.charCodeAt(0);
  return `&#0{0,6}${code};|&#x0{0,6}${code.toString(16)};`;
};
const written = (char: string): string => `(?:${char}|${references(char)})`;
const [colon, slash, at] = [written(':'), written('/'), written('@')];
// Neither goes beyond the next slash, in any form: so no character is looked at for more than two URLs.
const userChars = `(?:(?!${references(':')}|${references('/')})&#|[^\\s/?#@:"'<>]){0,1024}`;
const passwordChars = `(?:(?!${references('/')})&#|[^\\s/?#"'<>]){1,16384}`;
/** `://user:password@`, with the last @ before the path, as in a password that has one. */
const userInfo = new RegExp(`${colon}${slash}${slash}${userChars}${colon}(${passwordChars})${at}`, 'dgiu');

/** A private key in PEM (RFC 7468) or a file for cloud-init. */
const wholeText = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----|#cloud-config/u;

/** Whether the text, as it is written, is a secret as a whole. */
export function isSecretText(text: string): boolean {
  return wholeText.test(text);
}

/** Whether a URL with a password may be in a text. */
export function mayHaveUrl(text: string): boolean {
  return text.includes('@') || text.includes('&#');
}

/** Where the passwords in URLs are, in a text as it is written. */
export function passwordsInUrls(text: string): { readonly from: number; readonly to: number }[] {
  if (!mayHaveUrl(text)) return [];
  return Array.from(text.matchAll(userInfo), ({ indices }) => {
    const [from, to] = indices?.[1] ?? [0, 0];
    return { from, to };
  });
}
