import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { frameType } from '../../src/contract/hook-frames.js';
import { statusSchema } from '../../src/contract/status.js';
import { encodeFrame, encodeHeadAndTail } from '../../src/contract/framing.js';
import { checkRuntime } from '../../src/commands/install/doctor/check-runtime.js';
import { packageRoot } from '../../src/shared/paths.js';
import { hookvisor } from '../support/command.js';
import { samplePlugin, serve } from '../support/runtime.js';
import { temporaryFolder, writeScript } from '../support/temp.js';

const call = { driver: 'qemu', args: ['vm', 'prepare', 'begin', '-'], document: Buffer.from('<domain/>') };
const parsed = (text: string): unknown => JSON.parse(text) as unknown;

/** A socket that answers every command with a status that no runtime of this release sends. */
async function answering(status: object): Promise<string> {
  const socket = join(temporaryFolder(), 'other.sock');
  const server = createServer((connection) => {
    connection.once('data', () => {
      connection.end(encodeFrame(frameType.commandAnswer, ...encodeHeadAndTail({ status }, null)));
    });
  });
  server.listen(socket);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return socket;
}

describe('the status of a runtime', () => {
  it('has exactly what its schemas say, with plug-ins, scripts, a journal and a trial', async () => {
    const dir = temporaryFolder();
    await writeScript(dir, 'script', 'exit 0');
    const plugin = samplePlugin('tiny-allow');
    const { socket, runtime } = await serve(
      `
handlers:
  tiny: { backend: component, source: ${plugin}, failurePolicy: fail }
  script: { backend: script, source: ./script, failurePolicy: ignore }
routes: [ { match: {}, handlers: [tiny, script] } ]`,
      dir,
    );
    const digest = runtime.status().handlers[0]?.digest ?? '';
    const trial = { handler: 'tiny', from: digest, to: digest, file: plugin, durationMs: 60_000 };
    await runtime.promotions.begin(trial);
    await runtime.hook(call);
    const { status, out } = await hookvisor('status', '--socket', socket, '--json');
    expect(status).toBe(0);
    const printed = parsed(out);
    expect(statusSchema.parse(printed)).toEqual(printed);
    expect(printed).toMatchObject({
      trial: { state: 'running', compared: 1, examples: [] },
      handlers: [
        { handler: 'tiny', digest },
        { handler: 'script', digest: null },
        { handler: 'tiny.next', digest },
      ],
      sandbox: { runners: [{ trust: 'operator', restarts: 0 }], admissions: 0 },
    });
    const file = readFileSync(join(packageRoot, 'schema/status.schema.json'), 'utf8');
    const published = z.fromJSONSchema(parsed(file) as Parameters<typeof z.fromJSONSchema>[0]);
    expect(published.safeParse(printed).success).toBe(true);
    expect(published.safeParse({ ...(printed as object), handlers: null }).success).toBe(false);
  });

  it('without a journal, a handler or a trial has it too', async () => {
    const { runtime } = await serve('');
    expect(statusSchema.parse(runtime.status())).toEqual(runtime.status());
  });
});

describe('the status of a runtime of another release', () => {
  const known = { version: '9.0.0', pid: 1, journal: null, reloads: { done: 0, lastError: null } };

  it('is refused by status, which says what is missing', async () => {
    const socket = await answering(known);
    const { status, out } = await hookvisor('status', '--socket', socket, '--json');
    expect(status).toBe(2);
    expect(parsed(out)).toMatchObject({
      error: {
        code: 'protocol',
        message: expect.stringMatching(
          /^Cannot read the status of the runtime at '.*': node: .*another release$/u,
        ) as string,
      },
    });
  });

  it('is printed with what this release does not know', async () => {
    const { runtime } = await serve('');
    const newer = { ...runtime.status(), load: 0.5 };
    const { out } = await hookvisor('status', '--socket', await answering(newer), '--json');
    expect(parsed(out)).toEqual(newer);
  });

  it('is recognised by doctor', async () => {
    const findings = await checkRuntime(await answering(known));
    expect(findings.map(({ found }) => found)).toEqual([
      'it answers (version 9.0.0, pid 1)',
      expect.stringContaining('it runs version 9.0.0, but this command is version') as string,
    ]);
    const [unread] = await checkRuntime(await answering({ version: 9 }));
    expect(unread).toMatchObject({ found: 'its status cannot be read' });
  });
});
