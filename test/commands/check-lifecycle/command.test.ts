import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hookvisor } from '../../support/command.js';
import { extismWat, moduleBytes } from '../../support/plugins.js';
import { temporaryFolder, write } from '../../support/temp.js';
import { writePlugin, writeTrap } from '../../support/tiny-plugins.js';

const resultSchema = z.object({
  asked: z.number(),
  failing: z
    .object({
      violation: z.string(),
      what: z.string(),
      guests: z.array(z.looseObject({ growths: z.array(z.unknown()) })),
      calls: z.array(z.looseObject({ driver: z.string(), argv: z.array(z.string()) })),
    })
    .nullable(),
});

async function check(...args: string[]): Promise<{ status: number; result: z.infer<typeof resultSchema> }> {
  const { status, out } = await hookvisor('check-lifecycle', '--runs', '20', '--seed', '1', '--json', ...args);
  return { status, result: resultSchema.parse(JSON.parse(out)) };
}

const eventsOf = (result: z.infer<typeof resultSchema>): (string | undefined)[] =>
  result.failing?.calls.map(({ argv }) => argv[1]) ?? [];

describe('hookvisor check-lifecycle', { timeout: 90_000 }, () => {
  it('says ok of a plugin that always allows, with the seed', async () => {
    const plugin = await writePlugin(temporaryFolder(), 'allow');
    const run = await hookvisor('check-lifecycle', plugin, '--runs', '6', '--seed', '1');
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toMatch(
      /^ok {2}.*allow\.wasm: 6 sequences, \d+ hook calls, \d+ evaluated \(twice each\), .*seed 1\n$/u,
    );
  });

  it('finds a denial that is of no use, after the fewest calls', async () => {
    const plugin = await writePlugin(temporaryFolder(), 'deny');
    const { status, result } = await check(plugin, '--events', 'reconnect');
    expect(status).toBe(1);
    expect(result.failing).toMatchObject({
      violation: 'useless-denial',
      what: "it denied 'reconnect', but this denial is not sent to libvirt (kills-guest): no",
    });
    expect(eventsOf(result)).toEqual(['prepare', 'start', 'started', 'shutdown', 'start', 'reconnect']);
    expect(result.failing?.guests.every(({ growths }) => growths.length === 0)).toBe(true);
  });

  it('allows that denial with the grant, and libvirt then ends the guest', async () => {
    const plugin = await writePlugin(temporaryFolder(), 'deny');
    const { status, result } = await check(plugin, '--events', 'reconnect', '--grant', 'deny-reconnect');
    expect(status).toBe(0);
    expect(result.asked).toBeGreaterThan(0);
  });

  it('finds a trap at the first call, and prints how to see it again', async () => {
    const plugin = await writeTrap(temporaryFolder());
    const run = await hookvisor('check-lifecycle', plugin, '--runs', '6', '--seed', '1');
    expect(run.status).toBe(1);
    expect(run.out).toMatch(/^failed {2}.*trap\.wasm: it failed \(trap\): /u);
    expect(run.out).toContain('shortest failing sequence (1 calls, reduced from 1):\n>');
    expect(run.out).toContain('--seed 1\n');
  });

  it('finds the growth of a document that a plugin cannot pay for', async () => {
    const loop = '(loop $l (br_if $l (i64.gt_u (call $length) (i64.const 4000))))';
    const wat = extismWat('{"outcome":"allow"}', {
      imports: '(import "extism:host/env" "input_length" (func $length (result i64)))',
      before: loop,
    });
    const plugin = await write(temporaryFolder(), 'long.wasm', await moduleBytes(wat));
    const { status, result } = await check(plugin, '--fuel', '100000', '--events', 'prepare', '--runs', '20');
    expect(status).toBe(1);
    expect(result.failing?.what).toContain('out-of-fuel');
    expect(eventsOf(result)).toEqual(['prepare']);
    expect(result.failing?.guests.flatMap(({ growths }) => growths)).toHaveLength(1);
  });

  it('asks a configured handler only about what is routed to it', async () => {
    const dir = temporaryFolder();
    const plugin = await writePlugin(dir, 'deny');
    const config = await write(
      dir,
      'hookvisor.yaml',
      `version: 1
handlers: { h: { backend: extism, source: deny.wasm, failurePolicy: fail } }
routes: [ { match: { kind: domain, event: prepare }, handlers: [h] } ]`,
    );
    expect(await check(plugin, '--config', config, '--handler', 'h')).toMatchObject({ status: 0 });
  });

  it('refuses words that libvirt does not know', async () => {
    const run = await hookvisor('check-lifecycle', 'x.wasm', '--events', 'prepare,explode');
    expect(run.status).toBe(2);
    expect(run.err).toContain("'explode' is not one of start, shutdown, reload, prepare");
  });
});
