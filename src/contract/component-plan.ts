import { z } from 'zod';

const index = z.number().int().nonnegative();

/** An export of a core instance: the instance's index in the plan, and the name. */
const exportRef = z.tuple([index, z.string()]).readonly();
export type ExportRef = z.infer<typeof exportRef>;

/** Methods of DataView through which one core instance accesses the memory of another. */
export const memoryReads = [
  ...(['getInt8', 'getUint8', 'getInt16', 'getUint16'] as const),
  ...(['getInt32', 'getBigInt64', 'getFloat32', 'getFloat64'] as const),
] as const;
export const memoryWrites = ['setInt8', 'setInt16', 'setInt32', 'setBigInt64', 'setFloat32', 'setFloat64'] as const;
const access = z.enum([...memoryReads, ...memoryWrites]);

/** The encoding of texts in memory. */
const encoding = z.enum(['utf8', 'utf16']);
export type TextEncoding = z.infer<typeof encoding>;

const importValue = z.discriminatedUnion('is', [
  z.object({ is: z.literal('export'), ref: exportRef }),
  /** A function of the world, lowered for a component instance. */
  z.object({
    is: z.literal('host'),
    call: z.enum(['text', 'select', 'json', 'write']),
    instance: index,
    encoding,
    memory: exportRef,
    realloc: exportRef.nullable(),
  }),
  /** The flags of a component instance, which adapters between components maintain. */
  z.object({ is: z.literal('flags'), instance: index }),
  z.object({ is: z.literal('enter') }),
  z.object({ is: z.literal('exit') }),
  z.object({ is: z.literal('context-get'), slot: index.max(1) }),
  z.object({ is: z.literal('context-set'), slot: index.max(1) }),
  z.object({ is: z.literal('trap'), message: z.string() }),
  z.object({ is: z.literal('copy'), from: exportRef, to: exportRef }),
  z.object({ is: z.literal('access'), memory: exportRef, access }),
  z.object({ is: z.literal('pages'), memory: exportRef }),
  z.object({ is: z.literal('resource-new'), table: index, instance: index }),
  z.object({ is: z.literal('resource-rep'), table: index }),
  z.object({
    ...{ is: z.literal('resource-drop'), table: index, instance: index },
    destructor: exportRef.nullable(),
  }),
  z.object({ is: z.literal('transfer-own') }),
  z.object({ is: z.literal('transfer-borrow') }),
]);
/** The value of one import of a core module. */
export type ImportValue = z.infer<typeof importValue>;

const step = z.object({
  /** Name of the core module. */
  module: z.string(),
  imports: z.array(z.tuple([z.string(), z.array(z.tuple([z.string(), importValue]))])),
});

const lifted = z.object({
  /** The component instance that exports it. */
  instance: index,
  encoding,
  core: exportRef,
  memory: exportRef,
  realloc: exportRef.nullable(),
  postReturn: exportRef.nullable(),
});
/** An exported function of the world. */
export type Lifted = z.infer<typeof lifted>;

export const planSchema = z.object({
  /** Core instances in the order of instantiation. */
  steps: z.array(step),
  handle: lifted,
  validate: lifted.nullable(),
});

/**
 * How a component is instantiated, as data: its core modules, the imports of each, and the functions of the world. Made
 * by admission.
 */
export type ComponentPlan = z.infer<typeof planSchema>;
