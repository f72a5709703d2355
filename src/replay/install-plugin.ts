import { createHash } from 'node:crypto';
import { readFile, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config/config.js';
import { HookvisorError, messageOf } from '../errors.js';
import { pinPlugin } from './pin-plugin.js';
import { writeAtomically } from './write-atomically.js';

/** A plug-in that has been put where the configuration finds it. */
export interface InstalledPlugin {
  /** Files that were written, absolute. */
  readonly written: readonly string[];
  /** Puts back what was there before. */
  undo(): Promise<void>;
}

/**
 * Makes a plug-in the one that the configuration names, so that every later start has it. One rename decides: where the
 * configuration pins a digest, that of the configuration, with the plug-in beside the old one under a name of its own; else
 * that of the plug-in over the old one. What was there stays as `.previous`. Throws HookvisorError `usage`.
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
    await writeAtomically(added, bytes, source);
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

/** Where a plug-in on trial is while it is loaded. */
export async function stagePlugin(config: Config, handler: string, bytes: Buffer): Promise<InstalledPlugin> {
  const current = config.handlers.get(handler);
  if (current === undefined) throw cannot(handler, 'the configuration has no such handler');
  const staged = `${current.source}.next`;
  try {
    await writeAtomically(staged, bytes, current.source);
  } catch (error) {
    throw cannot(handler, messageOf(error), error);
  }
  return { written: [staged], undo: () => rm(staged, { force: true }) };
}

async function replaceFile(file: string, bytes: Buffer): Promise<InstalledPlugin> {
  const before = await readFile(file);
  const previous = `${file}.previous`;
  await writeAtomically(previous, before, file);
  await writeAtomically(file, bytes, file);
  return { written: [file], undo: () => writeAtomically(file, before, file) };
}

/** `naming` of `naming.wasm` and of `naming-0123456789ab.wasm`. */
function stem(source: string): string {
  return basename(source, '.wasm').replace(/-[0-9a-f]{12}$/u, '');
}

function cannot(handler: string, why: string, cause?: unknown): HookvisorError {
  const options = { ...(cause === undefined ? {} : { cause }), fields: { handler } };
  return new HookvisorError('usage', `Cannot install the plug-in of handler '${handler}': ${why}`, options);
}
