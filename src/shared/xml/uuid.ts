/** Number of bytes searched for the UUID. libvirt writes name and UUID first, so this is far more than necessary. */
const searchedBytes = 64 * 1024;

const pairs = /^[ \t\r\n]*((?:[- ]*[0-9a-f]{2}){16})[ \t\r\n]*$/iu;

/**
 * Returns the UUID in libvirt's form, in lower case with four hyphens; null if libvirt would not accept it. Source:
 * virUUIDParse in src/util/viruuid.c (libvirt 9.0.0): 16 pairs of hexadecimal digits, spaces and hyphens before each,
 * ASCII white space around all.
 */
export function parseUuid(text: string): string | null {
  const digits = pairs.exec(text)?.[1]?.replace(/[- ]/gu, '').toLowerCase();
  return digits?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5') ?? null;
}

/**
 * Returns the UUID of the object that a document describes, in lower case; null if its first `<uuid>` is invalid or
 * there is none near the beginning.
 *
 * A document may have 20 MB or be invalid UTF-8, and most handlers never read it. So only the beginning is searched, as
 * bytes, and nothing is parsed. This is safe for documents from libvirt: `<name>` and `<uuid>` come first, a user
 * chooses only the name, and `<` is escaped there. All other text that a user may write (title, description, metadata)
 * comes later and is not searched.
 */
export function findUuid(document: Buffer): string | null {
  const head = document.toString('latin1', 0, searchedBytes);
  const uuid = /<uuid>([^<]{0,128})<\/uuid>/u.exec(head)?.[1];
  return uuid === undefined ? null : parseUuid(uuid);
}
