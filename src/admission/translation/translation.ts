import { z } from 'zod';

/*
 * Schemas of the output of native/component-translator. It derives from hostile bytes, so it is validated like any
 * input.
 */

const index = z.int().nonnegative();

/** An export of a core instance. */
const exported = z.object({ is: z.literal('export'), instance: index, name: z.string() });

/** A definition where an export is expected. The fields of other definitions are not needed. */
const definition = z.union([exported, z.object({ is: z.string().refine((is) => is !== 'export') })]);
export type Definition = z.infer<typeof definition>;

/** Canonical options of a lifted or lowered function. */
const options = z.object({
  instance: index,
  encoding: z.enum(['utf8', 'utf16', 'latin1+utf16']),
  memory: definition.nullable(),
  realloc: definition.nullable(),
  postReturn: definition.nullable(),
  other: z.boolean(),
});
export type Options = z.infer<typeof options>;

const value = z.discriminatedUnion('is', [
  exported,
  z.object({ is: z.literal('flags'), instance: index }),
  z.object({ is: z.literal('lower'), path: z.array(z.string()), options }),
  z.object({
    is: z.literal('transcode'),
    from: definition.nullable(),
    to: definition.nullable(),
    operation: z.string(),
  }),
  z.object({ is: z.literal('resource-new'), instance: index, table: index }),
  z.object({ is: z.literal('resource-rep'), table: index }),
  z.object({ is: z.literal('resource-drop'), instance: index, table: index, destructor: definition.nullable() }),
  z.object({ is: z.enum(['transfer-own', 'transfer-borrow', 'enter', 'exit']) }),
  z.object({ is: z.literal('trap'), message: z.string() }),
  z.object({ is: z.enum(['context-get', 'context-set']), slot: index.max(1) }),
  z.object({ is: z.literal('access'), memory: definition, instruction: z.string() }),
  z.object({ is: z.literal('other'), name: z.string() }),
]);
export type Value = z.infer<typeof value>;

const translation = z.object({
  is: z.literal('translated'),
  /** Sizes of the core modules, bytes. */
  modules: z.array(index),
  instances: z.array(
    z.object({ module: index, imports: z.array(z.object({ module: z.string(), name: z.string(), value })) }),
  ),
  /** Exported functions, each with the path of names that leads to it. */
  exports: z.array(z.object({ path: z.array(z.string()), core: definition, options })),
});
export type Translation = z.infer<typeof translation>;

export const answerSchema = z.discriminatedUnion('is', [
  translation,
  z.object({ is: z.literal('invalid'), message: z.string() }),
  z.object({ is: z.literal('too-large') }),
]);
