import { createHash } from 'node:crypto';
import { readFile, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../../runtime/config/config.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { writeAtomic } from '../../runtime/files/write-atomic.js';
import { pinPlugin } from './pin-plugin.js';

/** A plug-in that was installed where the configuration finds it. */
export interface InstalledPlugin {
  /** Absolute paths of the files that were written. */
  readonly written: readonly string[];
  /** Restores what was there before. */
  undo(): Promise<void>;
}

/**
 * Installs a plug-in as the one that the configuration names, so that every later start uses it. A single rename
 * commits the change. Where the configuration pins a digest, the plug-in gets a new name next to the old one, and the
 * configuration is renamed; otherwise the plug-in is renamed over the old one. The old file is kept as `.previous`.
 * Throws HookvisorError `usage`.
 */
export async function installPlugin(config: Config, handler: string, bytes: Buffer): Promise<InstalledPlugin> {
  const current = config.handlers.get(handler);
  if (current === undefined) throw cannot(handler, 'the configuration has no such handler');
  try {
    const source = await realpath(current.source);
    if (current.sha256 === null) return await replaceFile(source, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const added = join(dirname(source), `${stem(source)}-${sha256.slice(0, 12)}.wasm`);
    const file = await realpath(config.file);
    const text = await readFile(file, 'utf8');
    const changed = pinPlugin(text, config, { handler, source: added, sha256 });
    await writeLike(added, bytes, source);
    const replaced = await replaceFile(file, Buffer.from(changed));
    return {
      written: [added, ...replaced.written],
      async undo() {
        await replaced.undo();
        if (added !== source) await rm(added, { force: true });
      },
    };
  } catch (error) {
    if (error instanceof HookvisorError) throw error;
    throw cannot(handler, messageOf(error), error);
  }
}

/** Writes a plug-in for a trial to a temporary file next to the installed one. */
export async function stagePlugin(config: Config, handler: string, bytes: Buffer): Promise<InstalledPlugin> {
  const current = config.handlers.get(handler);
  if (current === undefined) throw cannot(handler, 'the configuration has no such handler');
  const staged = `${current.source}.next`;
  try {
    await writeLike(staged, bytes, current.source);
  } catch (error) {
    throw cannot(handler, messageOf(error), error);
  }
  return { written: [staged], undo: () => rm(staged, { force: true }) };
}

async function replaceFile(file: string, bytes: Buffer): Promise<InstalledPlugin> {
  const before = await readFile(file);
  const previous = `${file}.previous`;
  await writeLike(previous, before, file);
  await writeLike(file, bytes, file);
  return { written: [file], undo: () => writeLike(file, before, file) };
}

/** Writes a file with the mode and owner of the file `like`. */
async function writeLike(path: string, bytes: Buffer, like: string): Promise<void> {
  const { mode, uid, gid } = await stat(like);
  writeAtomic(path, bytes, { mode: mode & 0o777, owner: { uid, gid } });
}

/** Returns `naming` for `naming.wasm` and for `naming-0123456789ab.wasm`. */
function stem(source: string): string {
  return basename(source, '.wasm').replace(/-[0-9a-f]{12}$/u, '');
}

function cannot(handler: string, why: string, cause?: unknown): HookvisorError {
  const options = { ...(cause === undefined ? {} : { cause }), fields: { handler } };
  return new HookvisorError('usage', `Cannot install the plug-in of handler '${handler}': ${why}`, options);
}
