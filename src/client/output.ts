import { inTime } from './in-time.js';

/**
 * Maximum wait for a reader of a message, milliseconds. A message may be about a missed deadline, so it needs time of
 * its own.
 */
const sayMs = 100;

/** Maximum length of a path in a message, bytes. */
const pathBytes = 200;

/** Resolves to null when everything is written, or to the reason why it is not. */
export function write(stream: NodeJS.WritableStream, bytes: string | Buffer, deadline: number): Promise<Error | null> {
  if (bytes.length === 0) return Promise.resolve(null);
  const written = new Promise<Error | null>((resolve) => {
    stream.on('error', resolve);
    stream.write(bytes, (error) => {
      resolve(error ?? null);
    });
  });
  return inTime(written, deadline, 'it was not read in time').catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  );
}

/**
 * Writes one line to stderr, without control characters or malformed UTF-8, either of which may occur in paths and in
 * the runtime's text.
 */
export async function say(text: string): Promise<void> {
  const line = `hookvisor: ${text.replace(/[\p{Cc}\uFFFD]/gu, '?')}\n`;
  await write(process.stderr, line, performance.now() + sayMs);
}

/** Returns at most `limit` bytes of a text, without a partial character at the end. */
export function shown(bytes: Buffer, limit: number): string {
  let size = Math.min(bytes.length, limit);
  while (size > 0 && size < bytes.length && (bytes.readUInt8(size) & 0xc0) === 0x80) size--;
  return bytes.toString('utf8', 0, size);
}

/** Returns a path, shortened to what a message shows. */
export function shownPath(path: string): string {
  return shown(Buffer.from(path), pathBytes);
}
