import { HookvisorError, messageOf } from '../errors.js';
import { importJco } from './author-modules.js';
import { strip } from './strip.js';
import { witPackage, type World } from './wit.js';

const configurableExport = 'hookvisor:hook/configurable@0.1.0#validate';

/**
 * Makes a component of a core module that keeps to the canonical ABI's names: exports
 * `hookvisor:hook/handler@0.1.0#handle`, `cabi_realloc` and `memory`. Its world is the one that its exports ask for;
 * imports of that world which it does not use are left out. Throws HookvisorError `plugin-invalid`.
 */
export async function componentFromCore(core: Uint8Array, folder: string): Promise<Buffer> {
  const { componentEmbed, componentNew } = await importJco(folder);
  const world = worldOf(core);
  try {
    const embedded = await componentEmbed({ binary: core, witSource: await witPackage(), world });
    return strip(await componentNew(embedded, []));
  } catch (error) {
    throw new HookvisorError('plugin-invalid', `Cannot build '${folder}': no component can be made: ${words(error)}`, {
      cause: error,
    });
  }
}

function worldOf(core: Uint8Array): World {
  const names = WebAssembly.Module.exports(new WebAssembly.Module(Uint8Array.from(core))).map(({ name }) => name);
  return names.includes(configurableExport) ? 'configurable-hook-handler' : 'hook-handler';
}

/** The tool's message goes on with a list of causes, the last of which says it best. */
function words(error: unknown): string {
  const lines = messageOf(error)
    .split('\n')
    .map((line) => line.trim().replace(/^\d+: /u, ''))
    .filter((line) => line !== '' && !line.startsWith('Caused by'));
  return `${lines.at(-1) ?? ''}; keep to the names in wit/`;
}
