import { inTime } from './in-time.js';

/** How long a message may wait for a reader. The deadline may be over: then the message says so. */
const sayMs = 100;

/** Bytes of a path that are shown. */
const pathBytes = 200;

/** Resolves to null once everything is written, or to why it is not. */
export function write(stream: NodeJS.WritableStream, bytes: string | Buffer, deadline: number): Promise<Error | null> {
  if (bytes.length === 0) return Promise.resolve(null);
  const written = new Promise<Error | null>((resolve) => {
    stream.on('error', resolve);
    stream.write(bytes, (error) => {
      resolve(error ?? null);
    });
  });
  return inTime(written, deadline, 'it is not read in time').catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  );
}

/**
 * Writes one line on stderr, without control characters or malformed UTF-8: paths and the runtime's text may hold
 * anything.
 */
export async function say(text: string): Promise<void> {
  const line = `hookvisor: ${text.replace(/[\p{Cc}\uFFFD]/gu, '?')}\n`;
  await write(process.stderr, line, performance.now() + sayMs);
}

/** Returns at most `limit` bytes of a text, and no half character at the end. */
export function shown(bytes: Buffer, limit: number): string {
  let size = Math.min(bytes.length, limit);
  while (size > 0 && size < bytes.length && (bytes.readUInt8(size) & 0xc0) === 0x80) size--;
  return bytes.toString('utf8', 0, size);
}

/** The same for a path. */
export function shownPath(path: string): string {
  return shown(Buffer.from(path), pathBytes);
}
