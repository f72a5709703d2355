import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { hasCode } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { below, places } from './places.js';

const path = z.string().startsWith('/');

/** A file as `install` wrote it: the digest of its content, or the target of the link. */
const placed = z.strictObject({ path, sha256: z.string().nullable(), target: z.string().nullable() });

/** A hook that existed before the installation. */
const adopted = z.strictObject({
  from: path,
  to: path,
  /** Target of the hook when it was a symbolic link. */
  target: z.string().nullable(),
  sha256: z.string().nullable(),
  mode: z.number(),
  /** Whether libvirt ran the hook; it skips files that are not executable. */
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
  /** When `install` last reloaded running daemons, milliseconds since the Unix epoch; null: never. */
  toldMs: z.number().nullable(),
});

/** What `install` wrote, so that `uninstall` can remove it and restore what was there before. */
export type Manifest = z.infer<typeof manifestSchema>;
export type AdoptedHook = z.infer<typeof adopted>;

/** Reads the manifest; null when there is none. Throws HookvisorError `install` when it cannot be read. */
export function readManifest(root: string): Manifest | null {
  const file = below(root, places.manifest);
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    const what = error instanceof z.ZodError ? (error.issues[0]?.message ?? '') : messageOf(error);
    throw new HookvisorError(
      'install',
      `Cannot read the manifest '${file}': ${what}; restore it from a backup, or move it away and check /etc/libvirt/hooks by hand`,
      { cause: error },
    );
  }
}

/** Serializes the manifest. */
export function manifestBytes(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}
