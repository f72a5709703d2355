import { createHash } from 'node:crypto';
import { constants, open } from 'node:fs/promises';
import type { HandlerConfig } from '../config/config.js';
import { HookvisorError, messageOf } from '../errors.js';
import { bounds } from '../limits.js';

export interface PluginFile {
  readonly bytes: Buffer;
  /** sha256 of `bytes`, hex. */
  readonly digest: string;
}

/**
 * Reads a handler's plugin and checks it against the configured digest. Throws HookvisorError `plugin-unreadable`
 * or `plugin-digest`.
 */
export async function readPluginFile(config: HandlerConfig): Promise<PluginFile> {
  const bytes = await readBounded(config);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (config.sha256 !== null && config.sha256 !== digest) {
    throw new HookvisorError(
      'plugin-digest',
      `Cannot load handler '${config.name}': '${config.source}' has sha256 ${digest}, the configuration pins ` +
        `${config.sha256}; put the pinned file back, or change 'sha256' if the new one is meant`,
      { fields: { handler: config.name, found: digest, pinned: config.sha256 } },
    );
  }
  return { bytes, digest };
}

async function readBounded({ name, source }: HandlerConfig): Promise<Buffer> {
  const refuse = (what: string, cause?: unknown): HookvisorError =>
    new HookvisorError('plugin-unreadable', `Cannot read plugin '${source}' of handler '${name}': ${what}`, {
      ...(cause === undefined ? {} : { cause }),
      fields: { handler: name, source },
    });
  try {
    // A pipe in the place of the file must not keep the runtime waiting for its writer.
    await using file = await open(source, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (stat.isDirectory()) throw refuse("it is a folder; name the .wasm file in 'source'");
    if (!stat.isFile()) throw refuse("it is not a regular file; name a .wasm file in 'source'");
    if (stat.size > bounds.pluginBytes) {
      throw refuse(`it has ${stat.size} bytes, ${bounds.pluginBytes} are allowed; build a smaller plugin`);
    }
    return await file.readFile();
  } catch (error) {
    if (error instanceof HookvisorError) throw error;
    throw refuse(reasonOf(error), error);
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT') return "there is no such file; build it, or correct 'source'";
  if (code === 'EACCES') return "it may not be read; let the runtime's user read it";
  return `${messageOf(error)}; check 'source'`;
}
