import { z } from 'zod';
import { planSchema } from './component-plan.js';

/** A linear memory for a core module, in pages of 64 KiB. */
export interface ModuleMemory {
  readonly initial: number;
  readonly maximum: number;
}

/** A core module of an artefact. */
export interface ArtefactModule {
  readonly name: string;
  readonly bytes: Buffer;
  /** The memory that it imports under the name in `meterNames`; null if it imports none. */
  readonly memory: ModuleMemory | null;
}

export const assemblySchema = z.discriminatedUnion('kind', [
  /** A component, which consists of several core modules. */
  z.object({
    kind: z.literal('plan'),
    plan: planSchema,
    /** Whether it can query the document, for which the runner loads libxml2. */
    needsXml: z.boolean(),
  }),
  /** One core module for Extism, named `main`. */
  z.object({ kind: z.literal('module') }),
]);

/** How the core modules of an artefact are assembled. */
export type Assembly = z.infer<typeof assemblySchema>;

/** A plug-in after admission: hardened core modules, and how they are assembled. */
export interface Artefact {
  readonly backend: 'component' | 'extism';
  /** sha256 of the original plug-in file, hexadecimal. */
  readonly digest: string;
  readonly assembly: Assembly;
  /** Whether the plug-in checks its own settings. */
  readonly validates: boolean;
  /** Core modules by the names that the assembly uses. */
  readonly modules: readonly ArtefactModule[];
}
