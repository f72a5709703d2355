import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Maximum milliseconds for a program to print its version. */
const deadlineMs = 3_000;

/** Since this version, libvirt runs the scripts in hooks/DRIVER.d. */
const folders = [6, 5, 0] as const;

/** Finds the version of the installed libvirt, such as `9.0.0`, and its daemons, without asking a running libvirt. */
export async function findLibvirt(): Promise<{ version: string | null; daemons: readonly string[] }> {
  const names = ['libvirtd', 'virtqemud', 'virtnetworkd', 'virtlxcd', 'virtxend'];
  const versions = await Promise.all(names.map(async (name) => ({ name, version: await versionOf(name) })));
  const found = versions.filter(({ version }) => version !== null);
  return { version: found[0]?.version ?? null, daemons: found.map(({ name }) => name) };
}

/** Tells whether a version of libvirt runs the scripts in hooks/DRIVER.d; null for an unknown version. */
export function runsHookFolders(version: string | null): boolean | null {
  if (version === null) return null;
  const parts = version.split('.').map(Number);
  for (const [at, wanted] of folders.entries()) {
    const part = parts[at] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

async function versionOf(program: string): Promise<string | null> {
  try {
    const path = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin', LC_ALL: 'C' };
    const options = { timeout: deadlineMs, killSignal: 'SIGKILL', env: path } as const;
    const { stdout } = await run(program, ['--version'], options);
    return /(\d+\.\d+\.\d+)/u.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}
