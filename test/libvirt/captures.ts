import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../../src/paths.js';

const capture = z.object({
  driver: z.string(),
  /** The arguments after the hook's path. */
  argv: z.array(z.string()),
  /** What was being done when libvirt called. */
  operation: z.string(),
  stdin: z.string().nullable(),
});

export type Capture = z.output<typeof capture>;

/** Every call of a hook that was recorded from a real libvirt, in the order of its file. */
export function captures(): Capture[] {
  const folder = join(packageRoot, 'test/fixtures/captures');
  const files = readdirSync(folder).sort();
  return files.flatMap((file) =>
    readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => capture.parse(JSON.parse(line))),
  );
}
