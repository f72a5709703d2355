/**
 * An object without a prototype: it has the keys that it was given and no others. For keys that somebody else chooses, of
 * which `constructor` or `toString` would find something in any other object.
 */
export function bare<T>(entries: Iterable<readonly [string, T]> = []): Record<string, T> {
  const object = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) object[key] = value;
  return object;
}
