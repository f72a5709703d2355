/** libvirt writes name and UUID first, so this is far more than it needs. */
const searchedBytes = 64 * 1024;

const pairs = /^[ \t\r\n]*((?:[- ]*[0-9a-f]{2}){16})[ \t\r\n]*$/iu;

/**
 * The UUID in libvirt's form, in lower case with four hyphens; null when libvirt would not read it as one.
 * Source: virUUIDParse in src/util/viruuid.c (libvirt 9.0.0): 16 pairs of hexadecimal digits, spaces and hyphens before
 * each, ASCII white space around all.
 */
export function parseUuid(text: string): string | null {
  const digits = pairs.exec(text)?.[1]?.replace(/[- ]/gu, '').toLowerCase();
  return digits?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5') ?? null;
}

/**
 * The UUID of the object that a document describes, in lower case; null when its first `<uuid>` is not one or there is
 * none near the beginning.
 *
 * A document may be 20 MB or invalid UTF-8, and most handlers never look at it: so the beginning is matched as bytes and
 * nothing is parsed. That is safe with what libvirt writes: `<name>` and `<uuid>` come before everything else, of these a
 * user chooses only the name, and there `<` is escaped; whatever else a user may write (title, description, metadata)
 * comes later and is not looked at.
 */
export function findUuid(document: Buffer): string | null {
  const head = document.toString('latin1', 0, searchedBytes);
  const uuid = /<uuid>([^<]{0,128})<\/uuid>/u.exec(head)?.[1];
  return uuid === undefined ? null : parseUuid(uuid);
}
