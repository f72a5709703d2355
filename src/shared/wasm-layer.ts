import { HookvisorError } from '../contract/errors.js';

/** Returns `module` or `component`, from the header. Throws HookvisorError `plugin-invalid` for anything else. */
export function wasmLayer(bytes: Buffer): 'module' | 'component' {
  if (bytes.length < 4 || bytes.readUInt32BE(0) !== 0x0061736d) throw invalidPlugin('it is not WebAssembly');
  if (bytes.length < 8) throw invalidPlugin('the file is truncated');
  const version = bytes.readUInt16LE(4);
  const layer = bytes.readUInt16LE(6);
  if (layer === 0 && version === 1) return 'module';
  if (layer === 1 && version === 13) return 'component';
  throw invalidPlugin(`it is WebAssembly of another version (${version}, layer ${layer})`);
}

/** Returns the error of a plug-in that its backend cannot use. */
export function invalidPlugin(what: string, cause?: unknown): HookvisorError {
  const options = cause === undefined ? {} : { cause };
  return new HookvisorError(
    'plugin-invalid',
    `Cannot admit the plug-in: ${what}; build it again from its source`,
    options,
  );
}
