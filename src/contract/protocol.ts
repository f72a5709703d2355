import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/u);

/** Fields of a promotion: the handler, its active plug-in and the new one. */
const promotion = { handler: z.string(), from: sha256, to: sha256 };

/** Maximum duration of a trial in milliseconds: the maximum of a timer, rounded down to whole days. */
export const mostTrialMs = 24 * 24 * 3_600_000;

/** The head of a `command` frame. The tail contains the document of an emitted event. */
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
/** What a caller may do: everything, or only look. Each socket has one role. */
export type Role = 'operator' | 'read-only';

/** Commands that change nothing. */
export const readOnlyCommands: readonly Command['command'][] = ['status'];

/** Name of the socket with the role `read-only`, in the folder of the runtime's socket. */
export const readOnlySocketName = 'read-only.sock';

export type Command = z.infer<typeof commandSchema>;
export type EmitCommand = Extract<Command, { command: 'emit' }>;

/** The head of a `refusal` frame. */
export const refusalSchema = z.object({ code: z.string(), message: z.string() });
