import { HookvisorError, messageOf } from '../../contract/errors.js';
import { importJco } from './author-modules.js';
import { strip } from './strip.js';
import { witPackage, type World } from './wit.js';

const configurableExport = 'hookvisor:hook/configurable@0.1.0#validate';

/**
 * Wraps a core module into a component. The module uses the names of the canonical ABI: it exports
 * `hookvisor:hook/handler@0.1.0#handle`, `cabi_realloc` and `memory`. Its exports determine the world; unused imports
 * of that world are omitted. Throws HookvisorError `plugin-invalid`.
 */
export async function componentFromCore(core: Uint8Array, folder: string): Promise<Buffer> {
  const { componentEmbed, componentNew } = await importJco(folder);
  const world = worldOf(core);
  try {
    const embedded = await componentEmbed({ binary: core, witSource: await witPackage(), world });
    return strip(await componentNew(embedded, []));
  } catch (error) {
    throw new HookvisorError(
      'plugin-invalid',
      `Cannot build '${folder}': it cannot be wrapped into a component: ${words(error)}`,
      {
        cause: error,
      },
    );
  }
}

function worldOf(core: Uint8Array): World {
  const names = WebAssembly.Module.exports(new WebAssembly.Module(Uint8Array.from(core))).map(({ name }) => name);
  return names.includes(configurableExport) ? 'configurable-hook-handler' : 'hook-handler';
}

/** Extracts the most specific message: the tool appends a list of causes, and the last one is the root cause. */
function words(error: unknown): string {
  const lines = messageOf(error)
    .split('\n')
    .map((line) => line.trim().replace(/^\d+: /u, ''))
    .filter((line) => line !== '' && !line.startsWith('Caused by'));
  return `${lines.at(-1) ?? ''}; use the names in wit/`;
}
