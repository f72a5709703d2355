import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createAdmission } from '../../../src/runtime/plugins/admission.js';
import { createLauncher } from '../../../src/runtime/isolation/launcher.js';
import { readPluginFile } from '../../../src/runtime/plugins/plugin-file.js';
import { errorOf, handlerConfig, samplePlugin } from '../../support/sandbox.js';

const source = samplePlugin('tiny-allow');

describe('a plugin of more bytes than its handler allows', () => {
  it('is not read, and the error names its size, the bound and the key', async () => {
    const { length } = await readFile(source);
    expect((await readPluginFile(handlerConfig({ pluginBytes: length }))).bytes).toHaveLength(length);
    const error = await errorOf(readPluginFile(handlerConfig({ pluginBytes: length - 1 })));
    expect(error.code).toBe('plugin-refused');
    expect(error.message).toBe(
      `Cannot load the plug-in '${source}' of handler 'plugin': it has ${length} bytes; at most ${length - 1} are allowed; ` +
        "raise 'pluginSize' (64MiB at most), or build a smaller plugin",
    );
    expect(error.fields).toEqual({ handler: 'plugin', source, rule: 'size', bytes: length, allowed: length - 1 });
  });

  it('is refused by the admission process as well', async () => {
    const bytes = await readFile(source);
    await using admission = createAdmission(createLauncher());
    const limits = { memoryBytes: 1024 ** 2, pluginBytes: bytes.length - 1 };
    const error = await errorOf(admission.admit({ backend: 'component', bytes, digest: '', ...limits }));
    expect(error.code).toBe('plugin-refused');
    expect(error.message).toContain(`it has ${bytes.length} bytes; at most ${bytes.length - 1} are allowed`);
    expect(await admission.vet(bytes, limits)).toMatchObject({ verdict: 'refused', reasons: [{ rule: 'size' }] });
  });
});
