import { join } from 'node:path';
import { HookvisorError } from '../../contract/errors.js';
import { packageRoot } from '../../shared/paths.js';
import { readCaptures } from '../replay/captures.js';

/** Documents of real hook calls by driver and event, with their original names. */
export type Samples = (driver: string, event: string) => readonly [string, ...string[]];

/** Calls recorded from a real libvirtd, bundled with Hookvisor. */
export const recordedCalls = join(packageRoot, 'examples', 'recorded', 'calls.jsonl');

/** Reads the recorded documents. Requesting one that was not recorded throws HookvisorError `internal`. */
export async function readSamples(): Promise<Samples> {
  const found = new Map<string, [string, ...string[]]>();
  for await (const { call } of readCaptures(recordedCalls)) {
    const key = `${call.event.driver} ${call.event.event}`;
    const text = call.document?.toString('utf8') ?? '';
    const list = found.get(key);
    if (list === undefined) found.set(key, [text]);
    else list.push(text);
  }
  return (driver, event) => {
    const list = found.get(`${driver} ${event}`);
    if (list !== undefined) return list;
    throw new HookvisorError(
      'internal',
      `Cannot find a recorded document of '${driver} ${event}' in '${recordedCalls}'`,
    );
  };
}
