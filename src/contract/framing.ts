import { HookvisorError } from './errors.js';

/** Version of the protocol on the runtime's socket and on a runner's pipe. See docs/protocol.md. */
export const protocolVersion = 1;

/** Size of a frame's header, bytes: u32 length of the rest, u8 version, u8 type. */
export const headerBytes = 6;

export interface Frame {
  readonly type: number;
  readonly body: Buffer;
}

/** Returns the header of a frame whose body has `bodyBytes` bytes. */
export function encodeHeader(type: number, bodyBytes: number): Buffer {
  return writeHeader(Buffer.allocUnsafe(headerBytes), type, bodyBytes);
}

function writeHeader(frame: Buffer, type: number, bodyBytes: number): Buffer {
  frame.writeUInt32BE(bodyBytes + 2, 0);
  frame.writeUInt8(protocolVersion, 4);
  frame.writeUInt8(type, 5);
  return frame;
}

/** Reads a header without checking it. `length` includes the version and the type. */
export function decodeHeader(bytes: Buffer): { length: number; version: number; type: number } {
  return { length: bytes.readUInt32BE(0), version: bytes.readUInt8(4), type: bytes.readUInt8(5) };
}

/**
 * Returns a frame as one buffer: `u32be length | u8 version | u8 type | body`. The length includes the version and the
 * type.
 */
export function encodeFrame(type: number, ...body: readonly Uint8Array[]): Buffer {
  const size = body.reduce((sum, part) => sum + part.length, 0);
  const frame = writeHeader(Buffer.allocUnsafe(headerBytes + size), type, size);
  let at = headerBytes;
  for (const part of body) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** Splits a byte stream into frames. Throws HookvisorError `protocol` at the first invalid header. */
export class FrameReader {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #buffered = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True while a frame is incomplete. */
  get pending(): boolean {
    return this.#buffered > 0;
  }

  /** Takes a chunk and returns the frames that it completes. Bodies may share memory with `chunk`. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const frames: Frame[] = [];
    while (this.#buffered >= headerBytes) {
      const header = this.#peekHeader();
      const total = 4 + header.length;
      if (this.#buffered < total) break;
      const bytes = this.#take(total);
      frames.push({ type: header.type, body: bytes.subarray(headerBytes) });
    }
    return frames;
  }

  #peekHeader(): { length: number; type: number } {
    const first = this.#chunks[0];
    const bytes =
      first !== undefined && first.length >= headerBytes ? first : (this.#chunks = [Buffer.concat(this.#chunks)])[0];
    if (bytes === undefined) throw new HookvisorError('internal', 'Cannot read a frame header: nothing is buffered');
    const { length, version, type } = decodeHeader(bytes);
    if (version !== protocolVersion) {
      throw new HookvisorError(
        'protocol',
        `Cannot read a frame: its protocol version is ${version}, this side speaks ${protocolVersion}; ` +
          `install client and runtime of the same release`,
        { fields: { version } },
      );
    }
    if (length < 2 || length > this.#maxBytes) {
      throw new HookvisorError(
        'protocol',
        `Cannot read a frame: its length is ${length} bytes; the allowed range is 2 to ${this.#maxBytes}`,
        { fields: { length } },
      );
    }
    return { length, type };
  }

  #take(size: number): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    if (all === undefined) throw new HookvisorError('internal', 'Cannot take a frame: nothing is buffered');
    const rest = all.subarray(size);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#buffered = rest.length;
    return all.subarray(0, size);
  }
}

/** Encodes the body of a frame that carries fields and a document: `u32be length of head | head as JSON | tail`. */
export function encodeHeadAndTail(head: unknown, tail: Uint8Array | null): Uint8Array[] {
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(json.length, 0);
  return tail === null ? [length, json] : [length, json, tail];
}

/** Decodes what {@link encodeHeadAndTail} returns; `head` is unchecked. Throws HookvisorError `protocol`. */
export function decodeHeadAndTail(body: Buffer): { head: unknown; tail: Buffer } {
  const length = body.length >= 4 ? body.readUInt32BE(0) : -1;
  if (length < 0 || 4 + length > body.length) {
    throw new HookvisorError('protocol', `Cannot read a frame's fields: they do not fit its ${body.length} bytes`);
  }
  try {
    const head: unknown = JSON.parse(body.toString('utf8', 4, 4 + length));
    return { head, tail: body.subarray(4 + length) };
  } catch (error) {
    throw new HookvisorError('protocol', `Cannot read a frame's fields: they are not JSON`, { cause: error });
  }
}
