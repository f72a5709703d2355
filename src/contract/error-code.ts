/** Returns the `code` of an error of the system or of Node, such as `ENOENT`; null for anything without one. */
export function codeOf(thrown: unknown): string | null {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : null;
}

/** Returns whether a thrown value has one of these codes. */
export function hasCode(thrown: unknown, ...codes: readonly string[]): boolean {
  const code = codeOf(thrown);
  return code !== null && codes.includes(code);
}
