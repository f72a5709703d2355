import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Calls recorded from a real libvirtd. */
const capturedCall = z.object({
  driver: z.string(),
  argv: z.array(z.string()),
  operation: z.string(),
  stdin: z.string().nullable(),
});
export type CapturedCall = z.infer<typeof capturedCall>;

const files = ['daemon-lifecycle', 'migrate', 'network', 'qemu'] as const;

/** All recorded calls, in order. */
export const captures: readonly CapturedCall[] = files.flatMap((name) =>
  readFileSync(new URL(`../fixtures/captures/${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => capturedCall.parse(JSON.parse(line))),
);
