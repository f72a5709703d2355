/** The part of AssemblyScript's compiler that the build calls. Its own types redefine globals such as `console`. */
export interface AscOptions {
  readFile(name: string, baseDir: string): Promise<string | null>;
  writeFile(name: string, contents: string | Uint8Array, baseDir: string): void;
  listFiles(dir: string, baseDir: string): string[];
}
export function main(
  args: readonly string[],
  options: AscOptions,
): Promise<{ error: Error | null; stderr: { toString(): string } }>;
declare const asc: { main: typeof main };
export default asc;
