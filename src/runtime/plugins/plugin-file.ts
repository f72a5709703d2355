import type { HandlerConfig } from '../config/config.js';
import { codeOf } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { openTrusted } from '../files/open-trusted.js';
import type { PathTrust } from '../files/path-trust.js';
import { sha256InSlices } from './digest.js';
import { readBounded } from './read-bounded.js';
import { sizeObjection } from '../../contract/size-objection.js';

export interface PluginFile {
  readonly bytes: Buffer;
  /** sha256 of `bytes`, hex. */
  readonly digest: string;
}

/**
 * Reads the plug-in of a handler and checks its size and digest. Throws HookvisorError `plugin-unreadable`,
 * `plugin-refused` if it is too large, `plugin-digest`, or, with `trust`, `untrusted` if other users can change it.
 */
export async function readPluginFile(config: HandlerConfig, trust?: PathTrust): Promise<PluginFile> {
  const bytes = await readWhole(config, trust);
  const digest = (await sha256InSlices(bytes)).toString('hex');
  if (config.sha256 !== null && config.sha256 !== digest) {
    throw new HookvisorError(
      'plugin-digest',
      `Cannot load handler '${config.name}': '${config.source}' has sha256 ${digest}, the configuration pins ` +
        `${config.sha256}; restore the pinned file, or update 'sha256' if the change is intended`,
      { fields: { handler: config.name, found: digest, pinned: config.sha256 } },
    );
  }
  return { bytes, digest };
}

async function readWhole({ name, source, pluginBytes }: HandlerConfig, trust?: PathTrust): Promise<Buffer> {
  const refuse = (what: string, cause?: unknown): HookvisorError =>
    new HookvisorError('plugin-unreadable', `Cannot read the plug-in '${source}' of handler '${name}': ${what}`, {
      ...(cause === undefined ? {} : { cause }),
      fields: { handler: name, source },
    });
  const openFile = trust && (() => openTrusted(source, `handlers.${name}`, trust));
  const read = await readBounded(source, pluginBytes, openFile).catch((error: unknown) => {
    if (error instanceof HookvisorError) throw error;
    throw refuse(reasonOf(error), error);
  });
  switch (read.found) {
    case 'file':
      return read.bytes;
    case 'folder':
      throw refuse("it is a folder; specify the .wasm file in 'source'");
    case 'special':
      throw refuse("it is not a regular file; specify a .wasm file in 'source'");
    case 'too-large': {
      const { code, message, fields } = sizeObjection(read.size, pluginBytes);
      throw new HookvisorError(code, `Cannot load the plug-in '${source}' of handler '${name}': ${message}`, {
        fields: { handler: name, source, ...fields },
      });
    }
  }
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === 'ENOENT') return "there is no such file; build it, or correct 'source'";
  if (code === 'EACCES') return 'it is not readable; grant read access to the user of the runtime';
  return `${messageOf(error)}; check 'source'`;
}
