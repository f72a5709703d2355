import { z } from 'zod';
import { vetRules } from './objection.js';

const claim = z.object({
  /** What the plugin can or cannot do, to be read after "it can" or "it cannot". */
  ability: z.string(),
  /** What in the plugin, or around it, makes that so. */
  evidence: z.string(),
});

const memory = z.object({ minimumBytes: z.number(), maximumBytes: z.number().nullable() });
const table = z.object({ minimum: z.number(), maximum: z.number().nullable() });

/** What `hookvisor vet --json` prints. Keys are stable: later versions may add some. */
export const vetReportSchema = z.object({
  verdict: z.enum(['admitted', 'refused']),
  /** What the file is for; null when it is no WebAssembly. */
  backend: z.enum(['component', 'extism']).nullable(),
  bytes: z.number(),
  /** Hex; null for a file that is too large to be read. */
  sha256: z.string().nullable(),
  /** The limit that the verdict is for, bytes of all memories together. */
  memoryBytes: z.number(),
  /** Largest file that the verdict is for, bytes. */
  pluginBytes: z.number(),
  /** Core modules, how often each is instantiated, and what it declares by itself. */
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
  /** Extensions of WebAssembly's first version that its code uses, by the names of their proposals. */
  features: z.array(z.string()),
  /** Who made it, by its own account. */
  producers: z.array(z.object({ field: z.string(), name: z.string(), version: z.string() })),
  /** At most 1,000 of each. */
  imports: z.array(z.string()),
  exports: z.array(z.string()),
  can: z.array(claim),
  cannot: z.array(claim),
  /** Every reason not to admit it; none for one that is admitted. */
  reasons: z.array(
    z.object({
      rule: z.enum(vetRules),
      code: z.enum(['plugin-refused', 'plugin-invalid', 'admission-failed']),
      message: z.string(),
      fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    }),
  ),
  /** Size of what a runner would load, bytes; null for one that is refused. */
  hardenedBytes: z.number().nullable(),
});

export type VetReport = z.infer<typeof vetReportSchema>;
export type VetClaim = z.infer<typeof claim>;
