import { expect, it } from 'vitest';
import { hookvisor } from '../../support/command.js';
import { temporaryFolder } from '../../support/temp.js';
import { writePlugin } from '../../support/tiny-plugins.js';

it('bench shows percentiles, fuel, memory and a histogram', { timeout: 60_000 }, async () => {
  const plugin = await writePlugin(temporaryFolder(), 'deny');
  const run = await hookvisor('bench', plugin, '--calls', '20');
  expect(run).toMatchObject({ status: 0, err: '' });
  expect(run.out).toContain('20 calls with 55 events: deny 20');
  expect(run.out).toMatch(/^ +p50 +p90 +p99 +max +mean\ncall .*\ninstance .*\nfuel +(\d+) +\1 +\1 +\1 +\1$/mu);
  expect(run.out).toMatch(/memory of the runner: \d+\.\d MiB empty/u);
  expect(run.out).toMatch(/– .* █+ \d+/u);
});

it('bench --json gives the same numbers to machines', { timeout: 60_000 }, async () => {
  const plugin = await writePlugin(temporaryFolder(), 'allow');
  const { out } = await hookvisor('bench', plugin, '--calls', '10', '--json');
  expect(JSON.parse(out)).toMatchObject({
    outcomes: { allow: 10 },
    callMs: { count: 10 },
    instantiationMs: { count: 10 },
    fuel: { count: 10 },
  });
});

it('bench says what is wrong with a file that is no plugin', async () => {
  const missing = await hookvisor('bench', '/nonexistent.wasm');
  expect(missing).toMatchObject({ status: 2 });
  expect(missing.err).toContain("Cannot read the plug-in '/nonexistent.wasm'");
  expect((await hookvisor('bench', '/bin/sh')).err).toContain('it is not a .wasm file');
});
