import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { hasCode } from '../error-code.js';
import { HookvisorError, messageOf } from '../errors.js';
import { below, places } from './places.js';

const path = z.string().startsWith('/');

/** A file as `install` left it: its bytes' digest, or what it points to. */
const placed = z.strictObject({ path, sha256: z.string().nullable(), target: z.string().nullable() });

/** A hook that was there before. */
const adopted = z.strictObject({
  from: path,
  to: path,
  /** What it pointed to when it was a symbolic link. */
  target: z.string().nullable(),
  sha256: z.string().nullable(),
  mode: z.number(),
  /** Whether libvirt ran it: it passes over what is not executable. */
  runs: z.boolean(),
  uid: z.number(),
  gid: z.number(),
  mtimeMs: z.number(),
});

const manifestSchema = z.strictObject({
  version: z.literal(1),
  files: z.array(placed),
  folders: z.array(path),
  adopted: z.array(adopted),
  /** When running daemons were last told of the hooks, milliseconds since the Unix epoch; null: not by us. */
  toldMs: z.number().nullable(),
});

/** What `install` put where, so that `uninstall` can take it away and put back what was there. */
export type Manifest = z.infer<typeof manifestSchema>;
export type AdoptedHook = z.infer<typeof adopted>;

/** The manifest of an installation; null when there is none. Throws HookvisorError `install` when it cannot be read. */
export function readManifest(root: string): Manifest | null {
  const file = below(root, places.manifest);
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    const what = error instanceof z.ZodError ? (error.issues[0]?.message ?? '') : messageOf(error);
    throw new HookvisorError(
      'install',
      `Cannot read the manifest '${file}': ${what}; restore it from a backup, or move it away and compare /etc/libvirt/hooks by hand`,
      { cause: error },
    );
  }
}

/** The manifest as it is written. */
export function manifestBytes(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}
