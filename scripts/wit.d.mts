/** The whole WIT package of a folder as one text. */
export function witPackage(folder?: string): Promise<string>;

/** Declarations without `@since` or without a doc comment, one line each with file and line. */
export function undocumented(folder?: string): Promise<string[]>;
