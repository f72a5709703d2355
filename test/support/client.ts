import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { packageRoot } from '../../src/shared/paths.js';

export interface HookRun {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Executes hook clients as libvirt does: by a path whose last part is the driver. */
export function hookCaller(
  dir: string,
  socket: string,
): (driver: string, argv: readonly string[], document?: Uint8Array | string | null) => Promise<HookRun> {
  const hooks = join(dir, 'hooks');
  mkdirSync(hooks);
  const linked = new Set<string>();
  return async (driver, argv, document) => {
    const path = join(hooks, driver);
    if (!linked.has(driver)) {
      symlinkSync(join(packageRoot, 'dist', 'hook-client'), path);
      linked.add(driver);
    }
    const child = spawn(path, argv, {
      cwd: '/',
      env: { LC_ALL: 'C', PATH: process.env['PATH'], HOOKVISOR_SOCKET: socket, HOOKVISOR_UNREACHABLE: '/dev/null' },
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(document ?? '');
    const [stdout, stderr] = await Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')]);
    return { status: child.exitCode, stdout, stderr };
  };
}
