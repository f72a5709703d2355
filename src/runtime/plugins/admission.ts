import type { Artefact } from '../../contract/artefact.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import type { ErrorFields } from '../../contract/errors.js';
import { FrameReader } from '../../contract/framing.js';
import { oneLine } from '../../contract/text.js';
import { artefactBytes, decodeArtefact } from '../../contract/artefact-codec.js';
import { admissionMemoryMiB } from '../isolation/launcher.js';
import type { Launcher } from '../isolation/launcher.js';
import { decodeMessage, encodeMessage } from '../../contract/messages.js';
import type { MessageHead } from '../../contract/messages.js';
import type { VetReport } from '../../contract/vet-report.js';

/** A plug-in to be admitted. */
export interface AdmissionRequest {
  readonly backend: Artefact['backend'];
  readonly bytes: Buffer;
  /** sha256 of `bytes`, hex. */
  readonly digest: string;
  readonly memoryBytes: number;
  /** Maximum size of the file. */
  readonly pluginBytes: number;
}

/** Admits plug-ins, each in its own process. */
export interface Admission {
  /** Vets, hardens and transpiles a plug-in. Throws HookvisorError with the code of the step that rejected it. */
  admit(request: AdmissionRequest): Promise<Artefact>;
  /** Examines a plug-in and reports on it. A rejection is also a report. */
  vet(bytes: Buffer, limits: Pick<AdmissionRequest, 'memoryBytes' | 'pluginBytes'>): Promise<VetReport>;
  /** Returns the number of admissions in flight. */
  running(): number;
  /** Terminates admissions in flight; their callers receive HookvisorError `closed`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Limits of one admission. */
export interface AdmissionLimits {
  readonly deadlineMs: number;
  /** Private memory of its process, MiB; V8's heap gets a quarter. */
  readonly memoryMiB: number;
}

const usual: AdmissionLimits = { deadlineMs: 60_000, memoryMiB: admissionMemoryMiB };
const atATime = 2;

/** Runs at most two admissions concurrently: each can occupy a processor and needs much memory. */
export function createAdmission(launcher: Launcher, limits: AdmissionLimits = usual): Admission {
  return new ProcessAdmission(launcher, limits);
}

class ProcessAdmission implements Admission {
  readonly #launcher: Launcher;
  readonly #limits: AdmissionLimits;
  readonly #processes = new Set<{ readonly ended: Promise<string>; kill(): void }>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #closed = false;

  constructor(launcher: Launcher, limits: AdmissionLimits) {
    this.#launcher = launcher;
    this.#limits = limits;
  }

  running(): number {
    return this.#running;
  }

  async admit({ backend, memoryBytes, pluginBytes, bytes, digest }: AdmissionRequest): Promise<Artefact> {
    return this.#inTurn({
      head: { task: 'admit', backend, memoryBytes, pluginBytes },
      bytes,
      read: ({ kind }, tail) => {
        if (kind !== 'artefact') throw failedError('its process sent a reply of the wrong kind');
        const artefact = decodeArtefact(tail);
        if (artefact.digest !== digest) throw failedError('its process replied for another plug-in');
        return artefact;
      },
    });
  }

  async vet(
    bytes: Buffer,
    { memoryBytes, pluginBytes }: Pick<AdmissionRequest, 'memoryBytes' | 'pluginBytes'>,
  ): Promise<VetReport> {
    return this.#inTurn({
      head: { task: 'vet', memoryBytes, pluginBytes },
      bytes,
      read: (head) => {
        if (head.kind !== 'report') throw failedError('its process sent a reply of the wrong kind');
        return head.report;
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const processes = [...this.#processes];
    for (const one of processes) one.kill();
    await Promise.all(processes.map((one) => one.ended));
  }

  async #inTurn<T>(errand: Errand<T>): Promise<T> {
    if (this.#running >= atATime) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await this.#inProcess(errand);
    } finally {
      // The next admission in the queue takes over the slot.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  async #inProcess<T>({ head, bytes, read }: Errand<T>): Promise<T> {
    const limits = this.#limits;
    this.#requireOpen();
    const child = this.#launcher.launch('admission', limits.memoryMiB);
    this.#processes.add(child);
    const watch = { late: false };
    const timer = setTimeout(() => {
      watch.late = true;
      child.kill();
    }, limits.deadlineMs);
    const answer = readAnswer(child.stdout, read, limits);
    // Awaited below, after the process has exited; until then, a rejection must not count as unhandled.
    answer.catch(() => undefined);
    child.stdin.end(encodeMessage('admit', head, bytes));
    try {
      const first = await Promise.race([answer.then((value) => ({ value })), child.ended.then(() => null)]);
      if (first !== null) return first.value;
      const ending = await child.ended;
      this.#requireOpen();
      if (watch.late) throw boundError(`it took more than ${limits.deadlineMs / 1_000} s`, limits);
      if (outOfMemory.test(ending)) throw memoryError(limits);
      throw failedError(`its process exited without a reply, ${ending}`);
    } finally {
      clearTimeout(timer);
      child.kill();
      await child.ended;
      this.#processes.delete(child);
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw closedError();
  }
}

/** A request to an admission process, and how to read the reply. */
interface Errand<T> {
  readonly head: MessageHead<'admit'>;
  readonly bytes: Buffer;
  readonly read: (head: MessageHead<'admitted'>, tail: Buffer) => T;
}

/** Reads the only frame of an admission process. Never settles if the process exits without one. */
function readAnswer<T>(stdout: NodeJS.ReadableStream, read: Errand<T>['read'], limits: AdmissionLimits): Promise<T> {
  const frames = new FrameReader(artefactBytes + 1024 * 1024);
  return new Promise((resolve, reject) => {
    stdout.on('data', (chunk: Buffer) => {
      try {
        const [frame] = frames.push(chunk);
        if (frame === undefined) return;
        const { head, tail } = decodeMessage('admitted', frame);
        if (head.kind === 'failed') throw refusedError(head, limits);
        resolve(read(head, tail));
      } catch (error) {
        const broken = error instanceof HookvisorError && error.code !== 'protocol' ? error : null;
        reject(broken ?? failedError(`its process violated the protocol, ${messageOf(error)}`, { cause: error }));
      }
    });
  });
}

/** How V8 and the C++ library report that memory is exhausted. */
const outOfMemory = /out of memory|heap limit|OOMErrorHandler|bad_alloc|allocation failed/iu;

/** Maximum length of a message from an admission process, characters. */
const longestMessage = 1_500;

/** Converts the failure that a process reports. It has read hostile bytes, so its message is hostile input, too. */
function refusedError(
  { code, message, fields }: MessageHead<'admitted'> & { kind: 'failed' },
  limits: AdmissionLimits,
): HookvisorError {
  if (code !== 'plugin-refused' && code !== 'plugin-invalid') {
    if (outOfMemory.test(message)) return memoryError(limits);
    const what = message.replace(/^Cannot admit a plug-?in: /u, '');
    return failedError(`its process failed, ${oneLine(what, longestMessage)}`);
  }
  return new HookvisorError(code, oneLine(message, longestMessage), { fields });
}

function memoryError(limits: AdmissionLimits): HookvisorError {
  return boundError(
    `it took more memory than admission has (${limits.memoryMiB} MiB, a quarter of it for objects)`,
    limits,
  );
}

function boundError(what: string, limits: AdmissionLimits): HookvisorError {
  return failedError(what, { fields: { ...limits } });
}

function failedError(what: string, options: { cause?: unknown; fields?: ErrorFields } = {}): HookvisorError {
  const message = `Cannot admit a plug-in: ${what}; check the plug-in with 'hookvisor vet', or build it again`;
  return new HookvisorError('admission-failed', message, options);
}

function closedError(): HookvisorError {
  return new HookvisorError('closed', 'Cannot admit a plug-in: the sandbox is closed; start the runtime again');
}
