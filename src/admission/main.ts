/**
 * Entry point of the admission process. Reads one plug-in from stdin, vets, translates and hardens it, writes the
 * artefact, a report or the error to stdout, and exits. Plug-ins are parsed and compiled only in this process.
 */
import { HookvisorError, messageOf } from '../contract/errors.js';
import { FrameReader } from '../contract/framing.js';
import { bounds } from '../contract/limits.js';
import { admitPlugin } from './admit.js';
import { artefactBytes, encodeArtefact } from '../contract/artefact-codec.js';
import { examinePlugin } from './examine-plugin.js';
import { decodeMessage, encodeMessage, isKnownErrorCode } from '../contract/messages.js';
import { requireAtMost } from '../contract/objection.js';

async function admit(): Promise<Buffer> {
  try {
    const frames = new FrameReader(bounds.pluginBytes + 1024 * 1024);
    for await (const chunk of process.stdin) {
      // A stream without an encoding yields buffers, which its type does not express.
      const [frame] = frames.push(chunk as Buffer);
      if (frame === undefined) continue;
      const { head, tail } = decodeMessage('admit', frame);
      if (head.task === 'vet') {
        return encodeMessage('admitted', { kind: 'report', report: await examinePlugin(tail, head) });
      }
      const artefact = encodeArtefact(await admitPlugin(tail, head));
      requireAtMost(artefact.length, artefactBytes, 'bytes after hardening');
      return encodeMessage('admitted', { kind: 'artefact' }, artefact);
    }
    throw new HookvisorError('admission-failed', 'Cannot admit a plug-in: the request has none');
  } catch (error) {
    const known = error instanceof HookvisorError && isKnownErrorCode(error.code);
    return encodeMessage('admitted', {
      kind: 'failed',
      code: known ? error.code : 'admission-failed',
      message: messageOf(error),
      fields: known ? { ...error.fields } : {},
    });
  }
}

// stdout carries exactly one frame, so the output of libraries goes to stderr.
globalThis.console = new console.Console(process.stderr);
process.stdout.write(await admit(), () => process.exit(0));
