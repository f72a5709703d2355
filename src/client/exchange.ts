import { connect, type Socket } from 'node:net';
import { decodeHeader, headerBytes, protocolVersion } from '../contract/framing.js';
import { decodeHookAnswer, encodeHookCall, frameType, type HookReply } from '../contract/hook-frames.js';
import { bounds } from '../contract/limits.js';
import { bytesOf, tooLarge } from './bytes.js';
import { inTime } from './in-time.js';
import { NoAnswer } from './no-answer.js';
import { shown } from './output.js';
import { codeOf } from '../contract/error-code.js';
import { systemError, textOf } from './system-error.js';

/** Maximum length of a Unix socket's path, bytes. */
const pathBytes = 107;
const retryMs = 10;

/** Sends the call to the runtime and reads its answer. `words` are separated by NUL. Throws NoAnswer. */
export async function exchange(path: string, words: Buffer, document: Buffer, deadline: number): Promise<HookReply> {
  if (2 + 4 + words.length + document.length > bounds.frameBytes) throw tooLarge();
  const socket = await inTime(connectTo(path, deadline), deadline, 'it did not accept the call in time');
  socket.cork();
  for (const part of encodeHookCall(words, document)) socket.write(part);
  socket.uncork();
  return inTime(readAnswer(socket), deadline, 'it did not answer in time');
}

/** Returns a connected socket. Retries while the backlog is full (EAGAIN): the runtime is busy, not absent. */
async function connectTo(path: string, deadline: number): Promise<Socket> {
  if (Buffer.byteLength(path) > pathBytes) throw new NoAnswer(textOf(systemError('ENAMETOOLONG')));
  for (;;) {
    const socket = connect({ path });
    const error = await new Promise<Error | null>((resolve) => {
      socket
        .once('connect', () => {
          resolve(null);
        })
        .once('error', resolve);
    });
    if (error === null) return socket;
    if (codeOf(error) !== 'EAGAIN' || performance.now() > deadline) throw new NoAnswer(textOf(error));
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

/** Reads the first frame and ignores everything after it. */
async function readAnswer(socket: Socket): Promise<HookReply> {
  let need = headerBytes;
  let chunks: Buffer[] = [];
  let have = 0;
  try {
    for await (const item of socket) {
      const chunk = bytesOf(item);
      chunks.push(chunk);
      have += chunk.length;
      if (have < need) continue;
      const all = Buffer.concat(chunks);
      chunks = [all];
      if (need === headerBytes) need = frameSize(all);
      if (have >= need) return parseAnswer(all.subarray(0, need));
    }
  } catch (error) {
    throw error instanceof NoAnswer ? error : new NoAnswer(textOf(error));
  }
  throw new NoAnswer(
    have === 0 ? 'it closed the connection without an answer' : 'it closed the connection during its answer',
  );
}

function frameSize(header: Buffer): number {
  const { version, length } = decodeHeader(header);
  if (version !== protocolVersion) {
    throw new NoAnswer(`it uses protocol version ${version}, not ${protocolVersion}`);
  }
  if (length < 2 || length > bounds.frameBytes) throw new NoAnswer(`it announced a frame of ${length} bytes`);
  return 4 + length;
}

function parseAnswer(frame: Buffer): HookReply {
  const { type } = decodeHeader(frame);
  const body = frame.subarray(headerBytes);
  if (type === frameType.refusal) {
    // The fields are JSON and are shown unparsed: a parser here would be one more thing that can fail.
    const size = body.length >= 4 ? body.readUInt32BE(0) : 0;
    const head = size <= body.length - 4 ? body.subarray(4, 4 + size) : Buffer.alloc(0);
    throw new NoAnswer(`it refused the call: ${shown(head, 300)}`);
  }
  if (type !== frameType.hookAnswer) throw new NoAnswer(`it sent a frame of unknown type ${type}`);
  const answer = decodeHookAnswer(body);
  if (answer === null) throw new NoAnswer('it sent a truncated answer');
  return answer;
}
