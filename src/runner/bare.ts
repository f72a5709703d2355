/**
 * Returns an object without a prototype, which has only the given keys. For keys from untrusted sources: in any other
 * object, `constructor` or `toString` would find an inherited property.
 */
export function bare<T>(entries: Iterable<readonly [string, T]> = []): Record<string, T> {
  const object = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) object[key] = value;
  return object;
}
