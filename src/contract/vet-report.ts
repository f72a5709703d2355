import { z } from 'zod';
import { vetRules } from './objection.js';

const claim = z.object({
  /** What the plug-in can or cannot do, to be read after "it can" or "it cannot". */
  ability: z.string(),
  /** The property of the plug-in or of its environment that causes this. */
  evidence: z.string(),
});

const memory = z.object({ minimumBytes: z.number(), maximumBytes: z.number().nullable() });
const table = z.object({ minimum: z.number(), maximum: z.number().nullable() });

/** The JSON of `hookvisor vet --json`. Keys are stable: later versions may add some. */
export const vetReportSchema = z.object({
  verdict: z.enum(['admitted', 'refused']),
  /** The backend of the file; null if it is not WebAssembly. */
  backend: z.enum(['component', 'extism']).nullable(),
  bytes: z.number(),
  /** Hexadecimal; null for a file that is too large to read. */
  sha256: z.string().nullable(),
  /** The memory limit that the verdict assumes, bytes of all memories together. */
  memoryBytes: z.number(),
  /** The maximum file size that the verdict assumes, bytes. */
  pluginBytes: z.number(),
  /** Core modules, how often each is instantiated, and what each declares. */
  modules: z.array(
    z.object({
      bytes: z.number(),
      instances: z.number(),
      functions: z.number(),
      memories: z.array(memory),
      tables: z.array(table),
      startFunction: z.boolean(),
    }),
  ),
  /** Extensions of WebAssembly 1.0 that its code uses, by the names of their proposals. */
  features: z.array(z.string()),
  /** The tools that made it, as it states itself. */
  producers: z.array(z.object({ field: z.string(), name: z.string(), version: z.string() })),
  /** At most 1,000 of each. */
  imports: z.array(z.string()),
  exports: z.array(z.string()),
  can: z.array(claim),
  cannot: z.array(claim),
  /** Every reason not to admit it; empty if it is admitted. */
  reasons: z.array(
    z.object({
      rule: z.enum(vetRules),
      code: z.enum(['plugin-refused', 'plugin-invalid', 'admission-failed']),
      message: z.string(),
      fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    }),
  ),
  /** Size of the artefact that a runner would load, bytes; null for a refused plug-in. */
  hardenedBytes: z.number().nullable(),
});

export type VetReport = z.infer<typeof vetReportSchema>;
export type VetClaim = z.infer<typeof claim>;
