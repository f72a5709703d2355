import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { transpileBytes } from '@bytecodealliance/jco-transpile';
import { z } from 'zod';
import { packageRoot } from '../../src/shared/paths.js';

/** What the host gives to an instance under test. */
export interface Host {
  readonly settings: string;
  readonly select: (xpath: string) => string[];
}

const instance = z.object({
  handler: z.object({ handle: z.custom<(event: object) => unknown>((value) => typeof value === 'function') }),
  configurable: z.object({ validate: z.custom<() => unknown>((value) => typeof value === 'function') }).optional(),
});
export type Instance = z.infer<typeof instance>;

type Instantiate = (core: (name: string) => WebAssembly.Module, imports: object) => unknown;

/** {@link instantiatorOf} a sample plugin as it was built. */
export async function instantiator(plugin: string): Promise<(host: Host) => Instance> {
  return instantiatorOf(await readFile(join(packageRoot, 'plugins', plugin, 'build', `${plugin}.wasm`)));
}

/**
 * Transpiles a component and gives a function that makes fresh instances of it, outside of any sandbox and without
 * limits.
 */
export async function instantiatorOf(bytes: Uint8Array): Promise<(host: Host) => Instance> {
  // V8 of Node 20 compiles the core modules of a QuickJS component with this flag only; later ones need none.
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-extended-const');
  const { files } = await transpileBytes(bytes, {
    name: 'plugin',
    instantiation: 'sync',
    base64Cutoff: 0,
    nodejsCompat: false,
    emitTypescriptDeclarations: false,
  });
  const modules = new Map<string, WebAssembly.Module>();
  let glue: Uint8Array = new Uint8Array();
  for (const [path, content] of Object.entries(files)) {
    const name = basename(path);
    if (name.endsWith('.wasm')) modules.set(name, new WebAssembly.Module(Buffer.from(content)));
    if (name.endsWith('.js')) glue = content;
  }
  const { instantiate } = await importGlue(glue);
  return (host) =>
    instance.parse(
      instantiate(
        (name) => {
          const module = modules.get(name);
          if (module === undefined) throw new Error(`no module ${name}`);
          return module;
        },
        {
          'hookvisor:hook/document': { text: () => undefined, select: host.select },
          'hookvisor:hook/settings': { json: () => host.settings },
          'hookvisor:hook/log': { write: () => undefined },
        },
      ),
    );
}

async function importGlue(glue: Uint8Array): Promise<{ instantiate: Instantiate }> {
  const dir = mkdtempSync(join(tmpdir(), 'hookvisor-test-'));
  try {
    const file = join(dir, 'plugin.mjs');
    await writeFile(file, glue);
    const loaded: unknown = await import(file);
    return z.object({ instantiate: z.custom<Instantiate>((value) => typeof value === 'function') }).parse(loaded);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
