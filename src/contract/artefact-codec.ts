import { z } from 'zod';
import { assemblySchema } from './artefact.js';
import type { Artefact } from './artefact.js';
import { HookvisorError } from './errors.js';
import { decodeHeadAndTail, encodeHeadAndTail } from './framing.js';
import { bounds } from './limits.js';

/** Maximum size of an encoded artefact, bytes: hardening makes a plug-in larger than its file. */
export const artefactBytes = 4 * bounds.pluginBytes;

const headSchema = z.object({
  backend: z.enum(['component', 'extism']),
  digest: z.string().regex(/^[0-9a-f]{64}$/u),
  assembly: assemblySchema,
  validates: z.boolean(),
  modules: z.array(
    z.object({
      name: z.string(),
      bytes: z.int().nonnegative(),
      memory: z.object({ initial: z.int().nonnegative(), maximum: z.int().nonnegative() }).nullable(),
    }),
  ),
});

/** Encodes an artefact for a pipe or the cache: its fields as JSON, then its modules one after the other. */
export function encodeArtefact(artefact: Artefact): Buffer {
  const head: z.infer<typeof headSchema> = {
    backend: artefact.backend,
    digest: artefact.digest,
    assembly: artefact.assembly,
    validates: artefact.validates,
    modules: artefact.modules.map(({ name, bytes, memory }) => ({ name, bytes: bytes.length, memory })),
  };
  return Buffer.concat([...encodeHeadAndTail(head, null), ...artefact.modules.map(({ bytes }) => bytes)]);
}

/**
 * Decodes what {@link encodeArtefact} returns. The modules share memory with `bytes`. Throws HookvisorError `protocol`.
 */
export function decodeArtefact(bytes: Buffer): Artefact {
  const { head, tail } = decodeHeadAndTail(bytes);
  const parsed = headSchema.safeParse(head);
  if (!parsed.success) {
    throw new HookvisorError('protocol', 'Cannot read an artefact: its fields are invalid', {
      cause: parsed.error,
    });
  }
  let at = 0;
  const modules = parsed.data.modules.map((module) => {
    const from = at;
    at += module.bytes;
    return { ...module, bytes: tail.subarray(from, at) };
  });
  if (at !== tail.length) {
    throw new HookvisorError(
      'protocol',
      `Cannot read an artefact: its modules should have ${at} bytes, not ${tail.length}`,
    );
  }
  return { ...parsed.data, modules };
}
