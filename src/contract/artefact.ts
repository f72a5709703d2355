import { z } from 'zod';
import { planSchema } from './component-plan.js';

/** A linear memory that a core module is given, pages of 64 KiB. */
export interface ModuleMemory {
  readonly initial: number;
  readonly maximum: number;
}

/** A core module of an artefact. */
export interface ArtefactModule {
  readonly name: string;
  readonly bytes: Buffer;
  /** The memory that it imports under the name in `meterNames`; null when it does not. */
  readonly memory: ModuleMemory | null;
}

export const assemblySchema = z.discriminatedUnion('kind', [
  /** A component, put together from several core modules. */
  z.object({
    kind: z.literal('plan'),
    plan: planSchema,
    /** Whether it can select in the document, for which the runner loads libxml2. */
    needsXml: z.boolean(),
  }),
  /** One core module, for Extism, named `main`. */
  z.object({ kind: z.literal('module') }),
]);

/** How the core modules of an artefact are put together. */
export type Assembly = z.infer<typeof assemblySchema>;

/** A plugin after admission: hardened core modules, and how they are put together. */
export interface Artefact {
  readonly backend: 'component' | 'extism';
  /** sha256 of the plugin as it was given, hex. */
  readonly digest: string;
  readonly assembly: Assembly;
  /** Whether the plugin checks its own settings. */
  readonly validates: boolean;
  /** Core modules by the name under which the assembly asks for them. */
  readonly modules: readonly ArtefactModule[];
}
