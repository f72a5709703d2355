import { bounds } from '../../contract/limits.js';
import { oneLine } from '../../contract/text.js';
import type { Verdict } from '../../contract/verdict.js';

/** The result of the hook process: its exit status and output. */
export interface HookAnswer {
  readonly status: 0 | 1;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * Converts a verdict to the terms of libvirt: a denial is exit status 1 with one clean line `HANDLER: REASON` on
 * stderr, which virsh shows; a replaced document goes to stdout; an empty stdout keeps the document of libvirt.
 */
export function toHookAnswer(verdict: Verdict, document: Buffer | null): HookAnswer {
  const nothing = Buffer.alloc(0);
  if (verdict.answered === 'deny') {
    const line = oneLine(`${deniedBy(verdict)}: ${verdict.reason ?? 'denied'}`, bounds.reasonChars + 100);
    return { status: 1, stdout: nothing, stderr: Buffer.from(`${line}\n`) };
  }
  return { status: 0, stdout: document ?? nothing, stderr: nothing };
}

/** Finds the handler whose denial is the answer. It ended the chain, so it is the last enforcing one. */
function deniedBy(verdict: Verdict): string {
  return verdict.handlers.findLast(({ mode }) => mode === 'enforce')?.handler ?? 'hookvisor';
}
