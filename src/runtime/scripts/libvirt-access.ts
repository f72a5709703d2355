import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { bounds } from '../../contract/limits.js';
import { packageRoot } from '../../shared/paths.js';
import { oneLine } from '../../contract/text.js';
import { codeOf } from '../../contract/error-code.js';

/** A program with its arguments. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** native/without-libvirt.c, its name begins what it says about itself, and the exit status when it did not start the program. */
const wrapper = join(packageRoot, 'dist', 'without-libvirt');
const says = 'without-libvirt: ';
const failedStatus = 125;

/** Where libvirt's daemons keep their sockets unless their configuration names another folder. */
const daemonFolder = '/etc/libvirt';
const socketFolders = ['/run/libvirt', '/var/run/libvirt'];
const daemonFile = /^(?:libvirt|virt[a-z]+)d\.conf$/u;

/**
 * The command in a mount namespace in which the sockets of libvirt's system daemons do not exist, so that a call of
 * libvirt fails at once where it would hang. It keeps a script from deadlocking libvirt by mistake; a script of root's
 * that wants out finds a way. Mounts that it makes end with it. Needs root.
 *
 * Nothing that belongs to a user is looked at: a session daemon never waits for a hook of root's, and libvirt's client
 * does not connect root to one (remoteGetURIDaemonInfo in libvirt's src/remote/remote_sockets.c).
 */
export function withoutLibvirt({ file, args }: Command, folders: readonly string[] = systemFolders()): Command {
  return { file: wrapper, args: [...folders, '--', file, ...args] };
}

/** A trial that is running, or one of the last second that went well. A configuration may have thousands of such scripts. */
let recent: Promise<string | null> | null = null;

/** Why {@link withoutLibvirt} does not work here and what to do, null when it does. */
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
  return why ?? "no mount namespace was ready within 5 s; look at the system's log";
}

/** What the wrapper said about a command that it could not start, null when it did start it. */
export function wrapperProblem(status: number | null, stderr: Buffer): string | null {
  const said = status === failedStatus ? stderr.toString('utf8') : '';
  return said.startsWith(says) ? oneLine(said.slice(says.length).trimEnd(), bounds.reasonChars) : null;
}

/** These and `unix_sock_dir` of libvirt's daemons, read anew each time: an administrator may change them. */
function systemFolders(): string[] {
  const configured = readable(() => readdirSync(daemonFolder), []).flatMap((name) => {
    if (!daemonFile.test(name)) return [];
    return socketFolderIn(readable(() => readFileSync(join(daemonFolder, name), 'utf8'), '')) ?? [];
  });
  return [...new Set([...socketFolders, ...configured])];
}

/** libvirt takes strings in quotation marks of both kinds. */
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
