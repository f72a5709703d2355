import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { defaultCache } from '../../runtime/config/defaults.js';
import { HookvisorError } from '../../contract/errors.js';
import { writeAtomic } from '../../runtime/files/write-atomic.js';
import { bounds, defaultLimits } from '../../contract/limits.js';
import { createAdmission } from '../../runtime/plugins/admission.js';
import { createCache } from '../../runtime/plugins/cache.js';
import { createLauncher } from '../../runtime/isolation/launcher.js';
import { requirePackages } from './author-packages.js';
import { buildAssemblyScript } from './assemblyscript.js';
import { buildC } from './c.js';
import { buildGo } from './go.js';
import type { Language, Project } from './project.js';
import { buildRust } from './rust.js';
import { buildTypeScript } from './typescript.js';
import { buildWat } from './wat.js';

/** Builds plug-ins from one language. */
export interface Builder {
  readonly backend: 'component' | 'extism';
  /** Throws HookvisorError `usage` when a tool is missing, `plugin-invalid` for the source. */
  readonly build: (project: Project) => Promise<Buffer>;
}

export const builders: Readonly<Record<Language, Builder>> = {
  ts: { backend: 'component', build: buildTypeScript },
  as: { backend: 'extism', build: buildAssemblyScript },
  c: { backend: 'component', build: buildC },
  rust: { backend: 'component', build: buildRust },
  go: { backend: 'component', build: buildGo },
  wat: { backend: 'component', build: buildWat },
};

/** A plug-in that was built. */
export interface Built {
  readonly file: string;
  readonly backend: Builder['backend'];
  readonly bytes: number;
  /** sha256 in hex; the same for the same sources and tools. */
  readonly digest: string;
  /** Whether the plug-in checks its settings. */
  readonly validates: boolean;
  readonly durationMs: number;
}

/**
 * Builds a project, vets the plug-in as the runtime would, and only then writes it. Throws HookvisorError `usage` when
 * a tool is missing, `plugin-invalid` or `plugin-refused` for the source.
 */
export async function buildProject(project: Project): Promise<Built> {
  const began = performance.now();
  const { backend, build } = builders[project.language];
  requirePackages(project.folder, project.language);
  const bytes = await build(project);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const validates = await vetted(project, { backend, bytes, digest });
  // Atomically, because another process may be reading the file.
  await mkdir(dirname(project.output), { recursive: true });
  writeAtomic(project.output, bytes);
  const durationMs = performance.now() - began;
  return { file: project.output, backend, bytes: bytes.length, digest, validates, durationMs };
}

/** Admits the plug-in through the cache, so that a following test finds it there. */
async function vetted(
  { folder }: Project,
  plugin: { backend: Builder['backend']; bytes: Buffer; digest: string },
): Promise<boolean> {
  const { backend, bytes, digest } = plugin;
  const key = { backend, digest, memoryBytes: defaultLimits.memoryBytes };
  const cache = createCache(defaultCache(), () => undefined);
  const admission = createAdmission(createLauncher());
  try {
    const cached = await cache.read(key);
    if (cached !== null) return cached.validates;
    const artefact = await admission.admit({ ...key, bytes, pluginBytes: bounds.pluginBytes });
    await cache.write(key, artefact);
    return artefact.validates;
  } catch (error) {
    if (!(error instanceof HookvisorError)) throw error;
    throw new HookvisorError(error.code, `Cannot build '${folder}': the runtime would not admit it. ${error.message}`, {
      cause: error,
      fields: error.fields,
    });
  } finally {
    await admission[Symbol.asyncDispose]();
  }
}
