import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { bounds } from '../../contract/limits.js';
import { packageRoot } from '../../shared/paths.js';
import { oneLine } from '../../contract/text.js';
import { codeOf } from '../../contract/error-code.js';

/** A program and its arguments. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** native/without-libvirt.c: file, prefix of its messages, and exit status if it did not start the program. */
const wrapper = join(packageRoot, 'dist', 'without-libvirt');
const says = 'without-libvirt: ';
const failedStatus = 125;

/** Default folders of the sockets of libvirt's daemons. */
const daemonFolder = '/etc/libvirt';
const socketFolders = ['/run/libvirt', '/var/run/libvirt'];
const daemonFile = /^(?:libvirt|virt[a-z]+)d\.conf$/u;

/**
 * Returns a command that runs in a mount namespace without the sockets of libvirt's system daemons, so that calls to
 * libvirt fail immediately instead of hanging. This prevents accidental deadlocks, but does not confine a malicious
 * script of root. Mounts that the script makes disappear with it. Requires root.
 *
 * Session daemons of users need no attention: they never wait for a hook of root, and libvirt's client does not connect
 * root to them (remoteGetURIDaemonInfo in libvirt's src/remote/remote_sockets.c).
 */
export function withoutLibvirt({ file, args }: Command, folders: readonly string[] = systemFolders()): Command {
  return { file: wrapper, args: [...folders, '--', file, ...args] };
}

/** A trial in progress, or one that succeeded within the last second: a configuration may have thousands of scripts. */
let recent: Promise<string | null> | null = null;

/** Returns why {@link withoutLibvirt} does not work on this host and what to do; null if it works. */
export function libvirtAccessProblem(): Promise<string | null> {
  recent ??= tryOnce().then((problem) => {
    if (problem !== null) recent = null;
    else setTimeout(() => (recent = null), 1_000).unref();
    return problem;
  });
  return recent;
}

async function tryOnce(): Promise<string | null> {
  const { file, args } = withoutLibvirt({ file: '/bin/true', args: [] });
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 5_000, env: {} });
  const ended = new Promise<number | Error | null>((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  const [said, end] = await Promise.all([text(child.stderr), ended]);
  if (end === 0) return null;
  if (end instanceof Error) {
    const what = codeOf(end) === 'ENOENT' ? 'is not built' : `cannot be started (${end.message})`;
    return `'${file}' ${what}; install gcc and libc6-dev and run 'npm run build'`;
  }
  const why = wrapperProblem(end, Buffer.from(said));
  return why ?? 'no mount namespace was ready within 5 s; see the system log';
}

/** Returns the message of the wrapper if it could not start the command; null if it started it. */
export function wrapperProblem(status: number | null, stderr: Buffer): string | null {
  const said = status === failedStatus ? stderr.toString('utf8') : '';
  return said.startsWith(says) ? oneLine(said.slice(says.length).trimEnd(), bounds.reasonChars) : null;
}

/** Returns these and `unix_sock_dir` of libvirt's daemons. Reads the files each time, because they may change. */
function systemFolders(): string[] {
  const configured = readable(() => readdirSync(daemonFolder), []).flatMap((name) => {
    if (!daemonFile.test(name)) return [];
    return socketFolderIn(readable(() => readFileSync(join(daemonFolder, name), 'utf8'), '')) ?? [];
  });
  return [...new Set([...socketFolders, ...configured])];
}

/** libvirt accepts strings in single and double quotation marks. */
export function socketFolderIn(configuration: string): string | null {
  const found = /^\s*unix_sock_dir\s*=\s*(?:"(\/[^"\n]+)"|'(\/[^'\n]+)')/mu.exec(configuration);
  return found?.[1] ?? found?.[2] ?? null;
}

function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
