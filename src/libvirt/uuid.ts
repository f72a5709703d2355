/** libvirt writes name and UUID first, so this is far more than it needs. */
const searchedBytes = 64 * 1024;

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
  const uuid = /<uuid>([^<]{0,64})<\/uuid>/u.exec(head)?.[1]?.trim().toLowerCase();
  return uuid !== undefined && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u.test(uuid) ? uuid : null;
}
