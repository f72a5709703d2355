import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/u);

/** Which handler gets which plugin, and which one it has. */
const promotion = { handler: z.string(), from: sha256, to: sha256 };

/** Longest trial of a plugin, milliseconds: what one timer can wait for, in whole days. */
export const mostTrialMs = 24 * 24 * 3_600_000;

/** The head of a `command` frame. An emitted event's document is the frame's tail. */
export const commandSchema = z.discriminatedUnion('command', [
  z.strictObject({
    command: z.literal('emit'),
    kind: z.string().min(1),
    name: z.string(),
    event: z.string().min(1),
    qualifier: z.string(),
    extra: z.string().optional(),
    driver: z.string().min(1).optional(),
  }),
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({ command: z.literal('reload') }),
  z.strictObject({ command: z.literal('promote'), ...promotion }),
  z.strictObject({
    command: z.literal('begin-trial'),
    ...promotion,
    file: z.string().startsWith('/'),
    durationMs: z.number().int().positive().max(mostTrialMs),
  }),
  z.strictObject({ command: z.literal('cancel-trial') }),
]);
export type Command = z.infer<typeof commandSchema>;
export type EmitCommand = Extract<Command, { command: 'emit' }>;

/** The head of a `refusal` frame. */
export const refusalSchema = z.object({ code: z.string(), message: z.string() });
