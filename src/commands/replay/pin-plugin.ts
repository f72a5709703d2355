import { basename, dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isScalar, parseDocument, type Scalar } from 'yaml';
import type { Config } from '../../runtime/config/config.js';
import { parseConfig } from '../../runtime/config/load.js';
import { HookvisorError } from '../../contract/errors.js';

/** Path and digest of a plug-in, as in the configuration. */
export interface Pin {
  readonly handler: string;
  readonly source: string;
  readonly sha256: string;
}

/**
 * Returns the text of a configuration with another `source` and `sha256` for one handler and every other character
 * unchanged. Throws HookvisorError `usage` when they are not plain values there.
 */
export function pinPlugin(text: string, config: Config, pin: Pin): string {
  const { handler, source, sha256 } = pin;
  const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: false });
  const scalarAt = (key: string): Scalar | null => {
    const node: unknown = document.getIn(['handlers', handler, key], true);
    return isScalar(node) ? node : null;
  };
  const before = scalarAt('source');
  const beside = typeof before?.value === 'string' ? join(dirname(before.value), basename(source)) : source;
  // A relative path stays relative, so that the folder can be moved.
  const shown = resolve(dirname(config.file), beside) === source ? beside : source;
  const places = [
    { at: before?.range, value: `'${shown.replaceAll("'", "''")}'` },
    { at: scalarAt('sha256')?.range, value: `'${sha256}'` },
  ];
  let changed = text;
  for (const { at, value } of places.sort((a, b) => (b.at?.[0] ?? 0) - (a.at?.[0] ?? 0))) {
    if (at === undefined || at === null) throw notPlain(config.file, handler);
    changed = `${changed.slice(0, at[0])}${value}${changed.slice(at[1])}`;
  }
  if (!isDeepStrictEqual(withoutPin(parseConfig(changed, config.file), handler), withoutPin(config, handler))) {
    throw notPlain(config.file, handler);
  }
  return changed;
}

function withoutPin(config: Config, handler: string): Config {
  const one = config.handlers.get(handler);
  const handlers = new Map(config.handlers);
  if (one !== undefined) handlers.set(handler, { ...one, source: '', sha256: null });
  return { ...config, handlers };
}

function notPlain(file: string, handler: string): HookvisorError {
  return new HookvisorError(
    'usage',
    `Cannot change '${file}': 'source' and 'sha256' of '${handler}' are not plain values there, or others share them; ` +
      `change them by hand, then 'hookvisor reload'`,
    { fields: { file, handler } },
  );
}
