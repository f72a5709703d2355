// @ts-check
import { rm } from 'node:fs/promises';
import { rowOf, socketCalls } from '../support/calls.mjs';
import { rssOf, runnerOf } from '../support/processes.mjs';
import { installSizes } from '../support/sizes.mjs';
import { handlers, routesByName, serve, writeCall, writeConfig } from '../support/stage.mjs';

/**
 * @param {import('../support/stage.mjs').Stage} stage
 * @param {{ scale: number }} options
 * @returns {Promise<import('../support/report.mjs').Section>}
 */
export async function memoryAndStart(stage, { scale }) {
  const { compiled, typescript } = handlers;
  const one = await writeConfig(stage, 'start', { handlers: { compiled }, routes: routesByName(['compiled']) });
  const both = await writeConfig(stage, 'start-ts', {
    handlers: { compiled, typescript },
    routes: routesByName(['compiled', 'typescript']),
  });
  const frame = await writeCall(stage, 'start.call', { object: 'compiled-1' });
  /** @type {import('../support/report.mjs').Row[]} */
  const rows = [];
  /** @type {number[]} */
  const warm = [];
  const started = async (/** @type {typeof one} */ { file, socket }) => {
    const began = performance.now();
    const runtime = await serve(file);
    const { failed } = await socketCalls(stage, { socket, frame, count: 1 });
    if (failed > 0) throw new Error('the first event was not answered');
    return { runtime, us: (performance.now() - began) * 1_000 };
  };
  await rm(stage.path('cache'), { recursive: true, force: true });
  const cold = await started(both);
  await cold.runtime.stop();
  rows.push({ name: 'cold start, two plugins admitted', value: cold.us / 1_000, unit: 'ms' });
  for (let round = 0; round < Math.ceil(6 * scale); round += 1) {
    const { runtime, us } = await started(one);
    await runtime.stop();
    warm.push(us);
  }
  const warmStart = rowOf('warm start of serve to the first verdict', { us: warm, failed: 0 });
  rows.push(warmStart);

  const { runtime } = await started(one);
  const runner = runnerOf(runtime.pid);
  const idle = { runtime: rssOf(runtime.pid), runner: rssOf(runner) };
  await socketCalls(stage, { socket: one.socket, frame, count: Math.ceil(3_000 * scale), concurrency: 8 });
  const loaded = { runtime: rssOf(runtime.pid), runner: rssOf(runner) };
  await runtime.stop();
  const withTypeScript = await started(both);
  const typescriptRunner = rssOf(runnerOf(withTypeScript.runtime.pid));
  await withTypeScript.runtime.stop();
  const sizes = await installSizes();
  const installed = sizes.reduce((sum, { megabytes }) => sum + megabytes, 0);
  rows.push(
    { name: 'runtime, idle', value: idle.runtime, unit: 'MB' },
    { name: 'runtime, after load', value: loaded.runtime, unit: 'MB' },
    { name: 'runner, compiled, idle', value: idle.runner, unit: 'MB' },
    { name: 'runner, compiled, after load', value: loaded.runner, unit: 'MB' },
    { name: 'runner, with a TypeScript plugin too', value: typescriptRunner, unit: 'MB' },
    ...sizes.slice(0, 6).map(({ name, megabytes }) => ({ name: `installed: ${name}`, value: megabytes, unit: 'MB' })),
  );
  return {
    title: 'Memory, start, size',
    unit: 'µs',
    rows,
    targets: [
      { name: 'runtime RSS, idle, MB', most: 80, measured: idle.runtime },
      { name: 'runner RSS with one plugin, idle, MB', most: 90, measured: idle.runner },
      { name: 'warm start to the first verdict, ms', most: 400, measured: warmStart.p50 / 1_000 },
      { name: 'npm install --omit=dev, MB', most: 60, measured: installed },
    ],
  };
}
