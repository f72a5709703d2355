#!/usr/bin/env node
/**
 * The hook client for machines without a C compiler: behaves as native/client.c does, and starts 60 ms slower. It
 * stands alone, so that a symlink to it in /etc/libvirt/hooks is all there is to install. See docs/client.md.
 *
 * It has no options at all: every argument comes from libvirt, and an object's name is hostile input.
 */
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { constants, openSync, closeSync, fstatSync, readFileSync, readSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { constants as systemConstants } from 'node:os';
import { basename, dirname, isAbsolute } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { isatty } from 'node:tty';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/** @typedef {import('node:net').Socket} Socket */
/**
 * What /etc/hookvisor/unreachable says; `problem` is empty when the file is understood.
 * @typedef {{ file: string, action: 'deny' | 'allow' | 'script', script: string, deadlineMs: number, problem: string }} Policy
 */
/** @typedef {{ status: number, out: Buffer, err: Buffer }} Answer */
/** @typedef {{ error: Error } | { status: number | null, signal: NodeJS.Signals | null }} Ended */
/** @typedef {{ stop: 'deadline' | NodeJS.Signals }} Stop */
/** @typedef {{ cut: Error }} Cut */

const protocolVersion = 1;
const types = { call: 0x01, answer: 0x02, refusal: 0x1f };
const headerBytes = 6;
const frameLimit = 64 * 1024 * 1024;
const policyLimit = 4096;
const killGraceMs = 500;
const retryMs = 10;
/** How long a message may wait for a reader. The deadline may be over: then it says why. */
const sayMs = 100;
/** Bytes of a path that are shown. */
const pathBytes = 200;
/** @type {readonly NodeJS.Signals[]} */
const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/**
 * The words of strerror(3) for what a unix socket or a small file can fail with, so that both clients say the same.
 * @type {Readonly<Record<string, string>> & { readonly ENAMETOOLONG: string }}
 */
const errorTexts = {
  E2BIG: 'Argument list too long',
  EACCES: 'Permission denied',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  ENOEXEC: 'Exec format error',
  EPIPE: 'Broken pipe',
};

/** Why there is no answer; shown to the administrator. */
class Unreachable extends Error {}

/**
 * The system's code of a failure, as ENOENT.
 * @param {unknown} error
 * @returns {string | undefined}
 */
const codeOf = (error) =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/**
 * @param {unknown} error
 * @returns {string}
 */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * @param {unknown} error
 * @returns {string}
 */
function textOf(error) {
  const code = codeOf(error);
  return code === undefined ? messageOf(error) : (errorTexts[code] ?? code);
}

/**
 * @param {string} reason
 * @returns {Unreachable}
 */
const unreachable = (reason) => new Unreachable(reason);

/**
 * A chunk of a stream that has no encoding, and so gives bytes.
 * @param {unknown} chunk
 * @returns {Buffer}
 */
function bytesOf(chunk) {
  if (!Buffer.isBuffer(chunk)) throw new TypeError('the stream gave something other than bytes');
  return chunk;
}

/**
 * Writes one line on stderr, without control characters or malformed UTF-8: paths and the runtime's text may hold anything.
 * @param {string} text
 * @returns {Promise<Error | null>}
 */
function say(text) {
  const line = `hookvisor: ${text.replace(/[\p{Cc}\uFFFD]/gu, '?')}\n`;
  return write(process.stderr, line, performance.now() + sayMs);
}

/**
 * At most `limit` bytes of a text, and no half character at the end.
 * @param {Buffer} bytes
 * @param {number} limit
 * @returns {string}
 */
function shown(bytes, limit) {
  let size = Math.min(bytes.length, limit);
  while (size > 0 && size < bytes.length && (bytes.readUInt8(size) & 0xc0) === 0x80) size--;
  return bytes.toString('utf8', 0, size);
}

/**
 * @param {string} path
 * @returns {string}
 */
const shownPath = (path) => shown(Buffer.from(path), pathBytes);

/**
 * Resolves to null once everything is written, or to why it is not.
 * @param {NodeJS.WritableStream} stream
 * @param {string | Buffer} bytes
 * @param {number} deadline on the clock of performance.now()
 * @returns {Promise<Error | null>}
 */
function write(stream, bytes, deadline) {
  if (bytes.length === 0) return Promise.resolve(null);
  /** @type {Promise<Error | null>} */
  const written = new Promise((resolve) => {
    stream.on('error', resolve);
    stream.write(bytes, (error) => {
      resolve(error ?? null);
    });
  });
  return inTime(written, deadline, 'it is not read in time').catch((/** @type {unknown} */ error) =>
    error instanceof Error ? error : new Error(String(error)),
  );
}

/**
 * Reads /etc/hookvisor/unreachable. Whatever is not understood in it makes it `deny`.
 * @returns {Policy}
 */
function readPolicy() {
  const file = process.env['HOOKVISOR_UNREACHABLE'] || '/etc/hookvisor/unreachable';
  /** @type {Policy} */
  const policy = { file, action: 'deny', script: '', deadlineMs: 90_000, problem: '' };
  /** @type {ReturnType<typeof readShortFile>} */
  let read;
  try {
    read = readShortFile(file);
  } catch (error) {
    return {
      ...policy,
      problem: `cannot be read: ${codeOf(error) === 'ENOENT' ? 'it does not exist' : textOf(error)}`,
    };
  }
  const { text, isForeign } = read;
  if (isForeign) return { ...policy, problem: 'may be changed by others; give it to root, then chmod go-w' };
  if (text === null) return { ...policy, problem: 'is not a short text file' };
  let chosen = false;
  for (const [index, line] of text.split('\n').entries()) {
    const [, word = '', rest = ''] = /^([^ \t]*)[ \t]*(.*)$/s.exec(line.replace(/^[ \t\r]+|[ \t\r]+$/g, '')) ?? [];
    if (word === '' || word.startsWith('#')) continue;
    /** @returns {Policy} */
    const notUnderstood = () => ({ ...policy, action: 'deny', problem: `is not understood in line ${index + 1}` });
    if (word === 'deadline') {
      const ms = parseMs(rest);
      if (ms === null) return notUnderstood();
      policy.deadlineMs = ms;
      continue;
    }
    const known = (word === 'script' && isAbsolute(rest)) || ((word === 'deny' || word === 'allow') && rest === '');
    if (chosen || !known) return notUnderstood();
    chosen = true;
    policy.action = word;
    policy.script = rest;
  }
  if (!chosen) return { ...policy, problem: 'does not say deny, allow or script' };
  if (policy.action === 'script' && othersMayChangePath(policy.script)) {
    return { ...policy, action: 'deny', problem: 'names a script that others may change' };
  }
  return policy;
}

/**
 * Whether somebody else than root and this process' user may write to a file. The folders above it are examined by
 * `hookvisor check` and `doctor`. A device holds no text of anybody's.
 * @param {import('node:fs').Stats} found
 */
function othersMayChange(found) {
  if (found.isCharacterDevice()) return false;
  if (found.uid !== 0 && found.uid !== process.geteuid?.()) return true;
  return (found.mode & 0o022) !== 0;
}

/**
 * As othersMayChange, of what a path leads to.
 * @param {string} path
 */
function othersMayChangePath(path) {
  try {
    return othersMayChange(statSync(path));
  } catch {
    return false; // executing it says why it cannot be
  }
}

/**
 * The text, null when it is longer than a policy can be or holds a NUL; and whether others may change it. Never waits on
 * a FIFO.
 * @param {string} file
 * @returns {{ text: string | null, isForeign: boolean }}
 */
function readShortFile(file) {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const bytes = Buffer.alloc(policyLimit);
    let size = 0;
    for (let got = 1; got > 0 && size < policyLimit; size += got)
      got = readSync(fd, bytes, size, policyLimit - size, null);
    const isShort = size < policyLimit && !bytes.subarray(0, size).includes(0);
    return { text: isShort ? bytes.toString('utf8', 0, size) : null, isForeign: othersMayChange(fstatSync(fd)) };
  } finally {
    closeSync(fd);
  }
}

/**
 * Seconds with up to three decimals, above 0 and at most a day, as milliseconds; null for anything else.
 * @param {string} text
 * @returns {number | null}
 */
function parseMs(text) {
  const ms = /^[0-9]{1,6}(\.[0-9]{0,3})?$/.test(text) ? Math.round(Number(text) * 1000) : 0;
  return ms > 0 && ms <= 86_400_000 ? ms : null;
}

/**
 * Settles as `promise` does, or rejects with `reason` once the deadline is over.
 * @template T
 * @param {Promise<T>} promise
 * @param {number} deadline on the clock of performance.now()
 * @param {string} reason
 * @returns {Promise<T>}
 */
function inTime(promise, deadline, reason) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const over = new Promise((_, reject) => {
    const leftMs = Math.max(0, deadline - performance.now());
    timer = setTimeout(() => {
      reject(unreachable(reason));
    }, leftMs);
  });
  return Promise.race([promise, over]).finally(() => {
    clearTimeout(timer);
  });
}

/**
 * Reads stdin to its end. A terminal is not read: libvirt never gives one.
 * @returns {Promise<Buffer>}
 */
async function readDocument() {
  if (isatty(0)) return Buffer.alloc(0);
  /** @type {Buffer[]} */
  const chunks = [];
  let size = 0;
  try {
    for await (const item of process.stdin) {
      const chunk = bytesOf(item);
      chunks.push(chunk);
      size += chunk.length;
      if (size > frameLimit) throw unreachable('the document is larger than 64 MiB');
    }
  } catch (error) {
    throw error instanceof Unreachable ? error : unreachable(`stdin cannot be read: ${textOf(error)}`);
  }
  return Buffer.concat(chunks);
}

/**
 * The arguments after the hook's path as bytes: process.argv has lost what is not UTF-8.
 * @returns {Buffer}
 */
function hookArguments() {
  const count = process.argv.length - 2;
  try {
    const all = readFileSync('/proc/self/cmdline');
    let from = all.length;
    for (let found = 0; found <= count; found++) from = all.lastIndexOf(0, from - 1);
    return all.subarray(from + 1, -1);
  } catch {
    return Buffer.from(process.argv.slice(2).join('\0'));
  }
}

/**
 * libvirt's hook name: this file's own name, or what stands before `.d` in /etc/libvirt/hooks/qemu.d/50-x.
 * @param {string} path
 * @returns {string}
 */
function driverOf(path) {
  const folder = basename(dirname(path));
  return folder.length > 2 && folder.endsWith('.d') ? folder.slice(0, -2) : basename(path);
}

/**
 * Whether a denial makes libvirt give up the operation and nothing else: no guest dies, nothing is left half done.
 * @param {string} driver
 * @param {readonly string[]} args
 * @returns {boolean}
 */
function denialAborts(driver, [, operation = '', qualifier]) {
  if (qualifier !== 'begin' && qualifier !== 'before') return false;
  if (driver === 'daemon' || ['reconnect', 'started', 'attach'].includes(operation)) return false;
  return driver !== 'network' || !['updated', 'port-deleted'].includes(operation);
}

/**
 * @param {string} driver
 * @param {Buffer} document
 * @returns {Buffer[]} what to write, in order
 */
function encodeCall(driver, document) {
  const words = process.argv.length > 2 ? [Buffer.from(`${driver}\0`), hookArguments()] : [Buffer.from(driver)];
  const joined = Buffer.concat(words);
  const length = 2 + 4 + joined.length + document.length;
  if (length > frameLimit) throw unreachable('the document is larger than 64 MiB');
  const header = Buffer.alloc(headerBytes + 4);
  header.writeUInt32BE(length, 0);
  header.writeUInt8(protocolVersion, 4);
  header.writeUInt8(types.call, 5);
  header.writeUInt32BE(joined.length, headerBytes);
  return [header, joined, document];
}

/**
 * A connected socket. A full queue of connections (EAGAIN) is a busy runtime, not an absent one.
 * @param {string} path
 * @param {number} deadline
 * @returns {Promise<Socket>}
 */
async function connectTo(path, deadline) {
  if (Buffer.byteLength(path) > 107) throw unreachable(errorTexts.ENAMETOOLONG);
  for (;;) {
    const socket = connect({ path });
    /** @type {Error | null} */
    const error = await new Promise((resolve) => {
      socket
        .once('connect', () => {
          resolve(null);
        })
        .once('error', resolve);
    });
    if (error === null) return socket;
    if (codeOf(error) !== 'EAGAIN' || performance.now() > deadline) throw unreachable(textOf(error));
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

/**
 * @param {Socket} socket
 * @param {readonly Buffer[]} parts
 * @returns {Promise<Answer>}
 */
async function exchange(socket, parts) {
  let need = headerBytes;
  /** @type {Buffer[]} */
  let chunks = [];
  let have = 0;
  socket.cork();
  for (const part of parts) socket.write(part);
  socket.uncork();
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
    throw error instanceof Unreachable ? error : unreachable(textOf(error));
  }
  throw unreachable(have === 0 ? 'it hung up without an answer' : 'it hung up amid its answer');
}

/**
 * @param {Buffer} header
 * @returns {number}
 */
function frameSize(header) {
  const version = header.readUInt8(4);
  const length = header.readUInt32BE(0);
  if (version !== protocolVersion) throw unreachable(`it speaks version ${version} of the protocol, not 1`);
  if (length < 2 || length > frameLimit) throw unreachable(`it announced a frame of ${length} bytes`);
  return 4 + length;
}

/**
 * @param {Buffer} frame
 * @returns {Answer}
 */
function parseAnswer(frame) {
  const type = frame.readUInt8(5);
  const body = frame.subarray(headerBytes);
  if (type === types.refusal) {
    const size = body.length >= 4 ? body.readUInt32BE(0) : 0;
    const head = size <= body.length - 4 ? body.subarray(4, 4 + size) : Buffer.alloc(0);
    throw unreachable(`it refused the call: ${shown(head, 300)}`);
  }
  if (type !== types.answer) throw unreachable(`it sent a frame of the unknown type ${type}`);
  const outSize = body.length >= 5 ? body.readUInt32BE(1) : Infinity;
  if (outSize > body.length - 5) throw unreachable('it sent an answer that is cut short');
  return { status: body.readUInt8(0), out: body.subarray(5, 5 + outSize), err: body.subarray(5 + outSize) };
}

/**
 * @param {string} driver
 * @param {Buffer} document
 * @param {number} deadline
 * @returns {Promise<Answer>}
 */
async function ask(driver, document, deadline) {
  const path = socketPath();
  const parts = encodeCall(driver, document);
  const socket = await inTime(connectTo(path, deadline), deadline, 'it does not take the call in time');
  return inTime(exchange(socket, parts), deadline, 'it did not answer in time');
}

const socketPath = () => process.env['HOOKVISOR_SOCKET'] || '/run/hookvisor/hookvisor.sock';

/**
 * Throws the system's error where the kernel has no format for the file. Node runs such a file through a shell, as
 * execvp(3) does: it would begin with whatever its first line means there. libvirt runs none (execve(2)).
 * @param {string} file
 * @param {number} [depth] of interpreters that are scripts themselves
 */
function refuseUnknownFormat(file, depth = 0) {
  const head = Buffer.alloc(256);
  const size = readHead(file, head);
  if (isOwnMachine(head)) return;
  const interpreter = /^#![ \t]*([^ \t\n\0]+)[ \t\n]/u.exec(head.toString('latin1', 0, size))?.[1];
  if (interpreter === undefined) throw Object.assign(new Error('no known format'), { code: 'ENOEXEC' });
  if (depth === 4) throw Object.assign(new Error('too many interpreters'), { code: 'ELOOP' });
  refuseUnknownFormat(Buffer.from(interpreter, 'latin1').toString(), depth + 1);
}

/**
 * Reads how a file begins. Of a folder it throws what execve(2) says.
 * @param {string} file
 * @param {Buffer} head
 * @returns {number} bytes read
 */
function readHead(file, head) {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    return readSync(fd, head);
  } catch (error) {
    throw codeOf(error) === 'EISDIR' ? Object.assign(new Error('a folder'), { code: 'EACCES' }) : error;
  } finally {
    closeSync(fd);
  }
}

/**
 * Whether an ELF header is of a program for this machine: class, byte order and processor are those of Node itself.
 * @param {Buffer} head
 * @returns {boolean}
 */
function isOwnMachine(head) {
  const own = Buffer.alloc(20);
  readHead(process.execPath, own);
  return own.compare(head, 0, 6, 0, 6) === 0 && own.compare(head, 18, 20, 18, 20) === 0;
}

/**
 * Runs the script as the leader of a session and process group of its own; stops the group at its deadline. Its status;
 * 1 if it gave none, or was not given its whole document.
 * @param {string} script
 * @param {Buffer} document
 * @param {number} deadlineMs
 * @returns {Promise<number>}
 */
async function runScript(script, document, deadlineMs) {
  const stop = stopRequest(deadlineMs);
  /** @type {ChildProcess} */
  let child;
  try {
    refuseUnknownFormat(script);
    child = spawn(script, process.argv.slice(2), {
      argv0: process.argv[1],
      detached: true, // makes it a group (and session) leader
      stdio: [document.length === 0 ? 'ignore' : 'pipe', 'inherit', 'inherit'],
    });
  } catch (error) {
    return cannotRun(script, error);
  }
  const first = await Promise.race([endOf(child), stop, giveDocument(child, document)]);
  if ('error' in first) return cannotRun(script, first.error);
  if ('status' in first) {
    if (first.signal === null) return first.status ?? 1; // Node gives the one or the other
    await say(`'${shownPath(script)}' was ended by signal ${systemConstants.signals[first.signal]}`);
    return 1;
  }
  await stopGroup(child);
  const why =
    'cut' in first
      ? `was not given its whole document (${textOf(first.cut)}) and was killed`
      : first.stop === 'deadline'
        ? 'did not finish in time and was killed'
        : `was stopped by signal ${systemConstants.signals[first.stop]}`;
  await say(`'${shownPath(script)}' ${why}`);
  return 1;
}

/**
 * @param {string} script
 * @param {unknown} error
 * @returns {Promise<number>}
 */
async function cannotRun(script, error) {
  await say(
    `cannot run '${shownPath(script)}', named in the file for an unreachable runtime: ${textOf(error)}; correct the file`,
  );
  return 1;
}

/**
 * @param {ChildProcess} child
 * @returns {Promise<Ended>}
 */
function endOf(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      resolve({ error });
    });
    child.once('exit', (status, signal) => {
      resolve({ status, signal });
    });
  });
}

/**
 * Resolves only if the script is not given its whole document. One that does not read it, or not all, has been given it.
 * @param {ChildProcess} child
 * @param {Buffer} document
 * @returns {Promise<Cut>}
 */
function giveDocument(child, document) {
  return new Promise((resolve) => {
    child.stdin?.on('error', (error) => {
      if (!['EPIPE', 'ECONNRESET'].includes(codeOf(error) ?? '')) resolve({ cut: error });
    });
    child.stdin?.end(document);
  });
}

/**
 * TERM to the script's group, and KILL once the script has ended, or half a second later. Then it is given up.
 * @param {ChildProcess} child
 * @returns {Promise<void>}
 */
async function stopGroup(child) {
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGKILL'])) {
    const ended = child.exitCode !== null || child.signalCode !== null ? null : endOf(child);
    child.kill(signal);
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // The group is gone, which is what was wanted.
    }
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, killGraceMs))]);
  }
}

/**
 * Resolves at the deadline, or when this process is asked to stop.
 * @param {number} deadlineMs
 * @returns {Promise<Stop>}
 */
function stopRequest(deadlineMs) {
  return new Promise((resolve) => {
    setTimeout(() => {
      resolve({ stop: 'deadline' });
    }, deadlineMs);
    for (const signal of stopSignals) {
      process.once(signal, () => {
        resolve({ stop: signal });
      });
    }
  });
}

/**
 * Passes the answer on to libvirt.
 * @param {Answer} answer
 * @param {boolean} aborts
 * @param {number} deadline
 * @returns {Promise<number>} the exit status
 */
async function passOn({ status, out, err }, aborts, deadline) {
  const failed = await write(process.stdout, out, deadline);
  await write(process.stderr, err, deadline);
  if (failed === null || status !== 0) return status;
  await say(`the document cannot be handed to libvirt: ${textOf(failed)}`);
  return aborts ? 1 : 0;
}

/**
 * What the policy says where no script decides.
 * @param {Policy} policy
 * @param {boolean} aborts
 * @param {string} reason
 * @returns {Promise<number>} the exit status
 */
async function followPolicy({ action, file, problem }, aborts, reason) {
  const denied = aborts && action !== 'allow';
  const goesOn = aborts
    ? ', the operation goes on as configured'
    : ', the operation goes on: denying it would not stop it cleanly';
  await say(
    `the runtime at ${shownPath(socketPath())} cannot be reached (${reason})${denied ? '' : goesOn}; start it, or see ` +
      `${shownPath(file)}${problem === '' ? '' : ` (which ${problem})`}`,
  );
  return denied ? 1 : 0;
}

/**
 * @param {string} driver
 * @param {boolean} aborts
 * @returns {Promise<number>} the exit status
 */
async function main(driver, aborts) {
  const policy = readPolicy();
  const deadline = performance.now() + policy.deadlineMs;
  /** @type {Buffer | null} */
  let document = null;
  /** @type {Answer} */
  let answer;
  try {
    document = await inTime(readDocument(), deadline, 'the document on stdin did not end in time');
    answer = await ask(driver, document, deadline);
  } catch (error) {
    const reason = error instanceof Unreachable ? error.message : `internal error: ${messageOf(error)}`;
    if (policy.action !== 'script' || document === null) return followPolicy(policy, aborts, reason);
    const status = await runScript(policy.script, document, policy.deadlineMs);
    return aborts ? status : 0;
  }
  return passOn(answer, aborts, deadline);
}

const driver = driverOf(process.argv[1] ?? '');
const aborts = denialAborts(driver, process.argv.slice(2));
/**
 * Whatever goes wrong here denies where that is safe.
 * @param {unknown} error
 * @returns {Promise<number>} the exit status
 */
async function failSafely(error) {
  await say(`internal error: ${messageOf(error)}`);
  return aborts ? 1 : 0;
}
process.on('uncaughtException', (error) => {
  void failSafely(error).then((status) => process.exit(status));
});
process.exit(await main(driver, aborts).catch(failSafely));
