import { constants, type FileHandle, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import type { Distrust } from '../files/distrust.js';
import { openTrusted } from '../files/open-trusted.js';
import { createPathTrust, type PathTrust } from '../files/path-trust.js';
import { shellQuote } from '../files/shell-quote.js';
import { bounds } from '../../contract/limits.js';
import type { Config } from './config.js';
import { ConfigError, invalidConfig } from './config-error.js';
import { isMapping } from './mapping.js';
import { checkReferences } from './references.js';
import { resolveConfig } from './resolve.js';
import { configSchema } from './schema.js';
import { readYaml, type Finding } from './yaml.js';

/** Size of `sun_path` in Linux's sockaddr_un, without its NUL. */
const longestSocket = 107;

/**
 * Reads a configuration file. Throws {@link ConfigError}, which lists its problems, or HookvisorError `untrusted` when
 * users other than root and the user of this process can change it.
 */
export async function loadConfig(file: string): Promise<Config> {
  const trust = createPathTrust();
  return parseConfig(await readText(file, () => openTrusted(file, 'configuration', trust)), file);
}

/** Reads a configuration file only to examine it: reasons not to trust it are returned, not thrown. */
export async function examineConfig(
  file: string,
  trust: PathTrust,
): Promise<{ config: Config; distrust: readonly Distrust[] }> {
  const { distrust } = await trust.examine(file);
  const text = await readText(file, () => open(file, constants.O_RDONLY | constants.O_NONBLOCK));
  return { config: parseConfig(text, file), distrust };
}

/** Parses the text of a configuration; `file` is its origin. Throws {@link ConfigError}. */
export function parseConfig(text: string, file: string): Config {
  const { value, problems, place } = readYaml(text);
  if (value === undefined) throw invalidConfig(file, problems);
  if (value === null) {
    const message = `is empty; start with 'version: 1'`;
    throw invalidConfig(file, [{ path: '', line: 1, column: 1, message }]);
  }
  const checked = configSchema.safeParse(value);
  const found: Finding[] = [...(checked.error?.issues ?? []), ...checkReferences(value), ...checkSocket(value, file)];
  if (!checked.success || found.length > 0 || problems.length > 0) {
    throw invalidConfig(file, [...problems, ...onePerPath(found).map(place)]);
  }
  return resolveConfig(checked.data, file);
}

/** Rejects a socket path that is too long: Node would truncate it and listen elsewhere. */
function checkSocket(root: unknown, file: string): Finding[] {
  const socket = isMapping(root) ? root['socket'] : null;
  if (typeof socket !== 'string') return [];
  const bytes = Buffer.byteLength(resolve(dirname(file), socket));
  if (bytes <= longestSocket) return [];
  const message = `the absolute path has ${bytes} bytes, but a socket path may have at most ${longestSocket}; write a shorter one`;
  return [{ path: ['socket'], message }];
}

/** Keeps the last problem of each path: a key in the wrong place is a problem even if its value is valid. */
function onePerPath(found: readonly Finding[]): Finding[] {
  return [...new Map(found.map((finding) => [JSON.stringify(finding.path), finding])).values()];
}

async function readText(file: string, openFile: () => Promise<FileHandle>): Promise<string> {
  try {
    await using handle = await openFile();
    const stat = await handle.stat();
    if (!stat.isFile()) throw unreadable(file, 'it is not a file; specify a YAML file');
    if (stat.size > bounds.configBytes) {
      throw unreadable(
        file,
        `it has ${stat.size} bytes, but at most ${bounds.configBytes} are allowed; specify a configuration file`,
      );
    }
    const bytes = await handle.readFile();
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof HookvisorError) throw error;
    throw unreadable(file, reason(error, file), error);
  }
}

function reason(error: unknown, file: string): string {
  const path = shellQuote(file);
  const code = codeOf(error);
  if (code === 'ENOENT') return 'it does not exist; create it, or specify another with --config';
  if (code === 'EACCES') {
    return `permission denied; run this as root, or let your group read it: chgrp GROUP ${path} && chmod 640 ${path}`;
  }
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8 text; save it as UTF-8';
  return `${messageOf(error)}; correct this, or specify another with --config`;
}

function unreadable(file: string, what: string, cause?: unknown): ConfigError {
  return new ConfigError('config-unreadable', `Cannot read the configuration '${file}': ${what}`, { file, cause });
}
