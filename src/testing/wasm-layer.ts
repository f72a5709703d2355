import { open } from 'node:fs/promises';
import { hasCode } from '../contract/error-code.js';
import { HookvisorError, messageOf } from '../contract/errors.js';
import { wasmLayer } from '../shared/wasm-layer.js';

/**
 * Tells from the header whether a file is a component or a core module. Throws HookvisorError `plugin-unreadable` or
 * `plugin-invalid`.
 */
export async function wasmLayerOf(file: string): Promise<'module' | 'component'> {
  const header = Buffer.alloc(8);
  try {
    await using handle = await open(file, 'r');
    const { bytesRead } = await handle.read(header, 0, header.length, 0);
    return wasmLayer(header.subarray(0, bytesRead));
  } catch (error) {
    if (error instanceof HookvisorError) throw error;
    throw new HookvisorError('plugin-unreadable', `Cannot read the plug-in '${file}': ${problemOf(error)}`, {
      cause: error,
      fields: { file },
    });
  }
}

function problemOf(error: unknown): string {
  return hasCode(error, 'ENOENT') ? "there is no such file; build it with 'hookvisor build'" : messageOf(error);
}
