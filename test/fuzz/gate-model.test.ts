import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { startBareGate } from '../support/bare-gate.js';
import { buildWithFaults, sanitizers, whyNoSanitizers } from '../support/native-variant.js';
import { temporaryFolder } from '../support/temp.js';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';
import { GateModel, histories } from './gate-model.js';

it(
  'the gate hands every request over once, and every answer that it was given to its client, whole',
  async () => {
    const dir = temporaryFolder();
    const why = whyNoSanitizers(dir);
    if (why !== null) process.stderr.write(`… gate-model: without sanitizers: ${why}\n`);
    const program = buildWithFaults(dir, 'gate', sanitizers);
    // LeakSanitizer does not bear SIGCONT. gate.test.ts looks for leaks.
    const env = { ASAN_OPTIONS: 'detect_leaks=0' };
    let runs = 0;
    await fuzz({
      name: 'gate-model',
      inputs: histories,
      async holds(history) {
        const socket = join(dir, `socket-${runs++}`);
        const gate = startBareGate({ program, socket, patienceMs: 20_000, env });
        try {
          await new GateModel(gate, socket).live(history);
        } finally {
          gate.kill('SIGKILL');
          rmSync(socket, { force: true });
        }
      },
    });
  },
  fuzzTimeoutMs,
);
