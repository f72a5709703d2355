import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { HookvisorError } from '../../contract/errors.js';
import { packageRoot } from '../../shared/paths.js';
import { below, places } from './places.js';

/** The client of this release. */
export interface ClientFile {
  readonly kind: 'native' | 'node';
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** Reads the native client, or the Node client where none was built. Throws HookvisorError `usage`. */
export function readClient(): ClientFile {
  const native = join(packageRoot, 'dist', 'hook-client');
  const kind = existsSync(native) ? 'native' : 'node';
  const file = kind === 'native' ? native : `${native}.mjs`;
  if (!existsSync(file)) {
    throw new HookvisorError(
      'usage',
      `Cannot install the hook client '${native}': it is not built; run 'npm run build'`,
    );
  }
  const bytes = readFileSync(file);
  return { kind, bytes, sha256: sha256Of(bytes) };
}

/** What is at the path of a hook. `ours`: a client of this or another release. */
export type HookState = 'absent' | 'current' | 'ours' | 'foreign';

/** Examines the hook at a path of the system. */
export function hookState(root: string, path: string, client: ClientFile): HookState {
  const real = below(root, path);
  const found = lstatSync(real, { throwIfNoEntry: false });
  if (found === undefined) return 'absent';
  if (found.isSymbolicLink()) {
    const target = readlinkSync(real);
    if (!/\/hook-client(?:\.mjs)?$/u.test(target)) return 'foreign';
    const program = below(root, places.nodeClient);
    const current =
      client.kind === 'node' &&
      target === places.nodeClient &&
      existsSync(program) &&
      readFileSync(program).equals(client.bytes);
    return current ? 'current' : 'ours';
  }
  if (!found.isFile()) return 'foreign';
  const bytes = readFileSync(real);
  if (bytes.equals(client.bytes) && client.kind === 'native')
    return (found.mode & 0o111) === 0o111 ? 'current' : 'ours';
  // Every release of the native client contains this name; a script that mentions it is not a program.
  const isProgram = bytes.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'));
  return isProgram && bytes.includes('HOOKVISOR_UNREACHABLE') ? 'ours' : 'foreign';
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
