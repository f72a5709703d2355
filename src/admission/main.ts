/**
 * Entry of the admission process: reads one plugin from stdin, vets, hardens and translates it, writes the artefact,
 * a report on it or the error to stdout, and ends. Parsers and compilers run here and nowhere else.
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
      // A stream without an encoding gives buffers; its type does not say so.
      const [frame] = frames.push(chunk as Buffer);
      if (frame === undefined) continue;
      const { head, tail } = decodeMessage('admit', frame);
      if (head.task === 'vet') {
        return encodeMessage('admitted', { kind: 'report', report: await examinePlugin(tail, head) });
      }
      const artefact = encodeArtefact(await admitPlugin(tail, head));
      requireAtMost(artefact.length, artefactBytes, 'bytes when it is hardened');
      return encodeMessage('admitted', { kind: 'artefact' }, artefact);
    }
    throw new HookvisorError('admission-failed', 'Cannot admit a plugin: none was sent');
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

// stdout carries the one frame only: what a library prints goes to stderr.
globalThis.console = new console.Console(process.stderr);
process.stdout.write(await admit(), () => process.exit(0));
