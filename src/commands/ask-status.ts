import { z } from 'zod';
import { HookvisorError } from '../contract/errors.js';
import { askRuntime, type RemoteRequest } from './remote.js';

/** What a runtime said of itself. */
export interface ReceivedStatus<Part> {
  readonly status: Part;
  /** The whole of it, as it came: a newer runtime may say more. */
  readonly received: unknown;
}

const answerSchema = z.object({ status: z.unknown() });

/**
 * Asks a running runtime for its status, of which `part` says what the caller needs. Throws as {@link askRuntime} does,
 * and HookvisorError `protocol` if that part is not there.
 */
export async function askStatus<Part>(
  { socket, timeoutMs }: Pick<RemoteRequest, 'socket' | 'timeoutMs'>,
  part: z.ZodType<Part>,
): Promise<ReceivedStatus<Part>> {
  const { head } = await askRuntime({ socket, command: { command: 'status' }, timeoutMs });
  const received = answerSchema.safeParse(head).data?.status;
  const parsed = part.safeParse(received);
  if (parsed.success) return { status: parsed.data, received };
  const [problem] = parsed.error.issues;
  const what = `${problem?.path.join('.') ?? ''}: ${problem?.message ?? ''}`;
  throw new HookvisorError(
    'protocol',
    `Cannot read the status of the runtime at '${socket}': ${what}; restart it if it is of another release`,
    { cause: parsed.error, fields: { socket } },
  );
}
