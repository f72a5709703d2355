import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { defaultTime } from '../../testing/call.js';
import { fromHookArguments } from '../../runtime/libvirt/call.js';
import type { RecordedCall } from './recorded-call.js';

/** A line of a file of captured calls. Other keys are ignored. */
const captureSchema = z.object({
  driver: z.string().min(1),
  /** Arguments of the hook: NAME OPERATION SUBOPERATION EXTRA. */
  argv: z.array(z.string()).min(2),
  /** The XML document, under either key. */
  stdin: z.string().nullable().exactOptional(),
  document: z.string().nullable().exactOptional(),
  /** Milliseconds since the Unix epoch. */
  time: z.number().int().nonnegative().exactOptional(),
  id: z.string().max(64).exactOptional(),
});

/**
 * Reads captured calls, one JSON object per line. The time defaults to the fixed time of tests, the id to the line
 * number. Throws HookvisorError `protocol` with the number of a malformed line.
 */
export async function* readCaptures(file: string): AsyncGenerator<RecordedCall> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() !== '') yield readLine(text, { file, line });
  }
}

function readLine(text: string, { file, line }: { file: string; line: number }): RecordedCall {
  try {
    const { driver, argv, stdin, document, time = defaultTime, id } = captureSchema.parse(JSON.parse(text));
    const xml = stdin ?? document ?? null;
    const call = fromHookArguments({
      driver,
      args: argv,
      document: xml === null ? null : Buffer.from(xml),
      time,
      id: id ?? `00000000-0000-4000-8000-${String(line).padStart(12, '0')}`,
    });
    return { call, record: null, replacement: () => null };
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const why = issue === undefined ? messageOf(error) : `${issue.path.join('.') || 'the line'}: ${issue.message}`;
    throw new HookvisorError(
      'protocol',
      `Cannot read the captured call '${file}:${line}': ${why}; write {"driver", "argv", "stdin"} as one line of JSON`,
      { cause: error, fields: { file, line } },
    );
  }
}
