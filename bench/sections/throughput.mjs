// @ts-check
import { rowOf, socketCalls, spawnCalls } from '../support/calls.mjs';
import { handlers, routesByName, serve, writeCall, writeConfig } from '../support/stage.mjs';

/**
 * Measures events per second and a burst. Each event takes a connection but no process: on two cores, the benchmark
 * would otherwise measure process creation.
 * @param {import('../support/stage.mjs').Stage} stage
 * @param {{ scale: number }} options
 * @returns {Promise<import('../support/report.mjs').Section>}
 */
export async function throughput(stage, { scale }) {
  const { compiled, typescript } = handlers;
  const routes = routesByName(['compiled', 'typescript']);
  const config = await writeConfig(stage, 'throughput', { handlers: { compiled, typescript }, routes });
  const { socket } = config;
  const frames = {
    compiled: await writeCall(stage, 'compiled.call', { object: 'compiled-1' }),
    typescript: await writeCall(stage, 'typescript.call', { object: 'typescript-1' }),
  };
  const runtime = await serve(config.file);
  /** @type {import('../support/report.mjs').Row[]} */
  const rows = [];
  /** @type {Record<string, number>} */
  const best = {};
  try {
    for (const name of /** @type {const} */ (['compiled', 'typescript'])) {
      const count = Math.ceil((name === 'compiled' ? 3_000 : 800) * scale);
      await socketCalls(stage, { socket, frame: frames[name], count });
      for (const concurrency of [1, 8, 64]) {
        const calls = await socketCalls(stage, { socket, frame: frames[name], count, concurrency });
        const perSecond = (count * 1_000) / calls.totalMs;
        best[name] = Math.max(best[name] ?? 0, perSecond);
        rows.push({ name: `${name}, ${concurrency} at a time`, value: perSecond, unit: 'events/s' });
        rows.push(rowOf(`${name}, ${concurrency} at a time`, calls));
      }
    }
    const burst = await socketCalls(stage, { socket, frame: frames.compiled, count: 1_000, concurrency: 1_000 });
    rows.push(rowOf('burst of 1,000', burst), { name: 'burst of 1,000, all', value: burst.totalMs, unit: 'ms' });
    const env = { HOOKVISOR_SOCKET: socket };
    const argv = [stage.hook, 'compiled-1', 'prepare', 'begin', '-'];
    const spawned = await spawnCalls(stage, { argv, count: 10, concurrency: 100, env });
    rows.push(rowOf('100 hooks at a time, as libvirt calls them', spawned));
    return {
      title: 'Throughput and burst',
      unit: 'µs',
      rows,
      targets: [
        { name: 'burst of 1,000, compiled, all answered, ms', most: 1_000, measured: burst.totalMs },
        { name: 'burst of 1,000, lost', most: 0, measured: burst.failed },
        { name: 'sustained, compiled, events/s', least: 1_500, measured: best['compiled'] ?? null },
        { name: 'sustained, TypeScript, events/s', least: 400, measured: best['typescript'] ?? null },
      ],
    };
  } finally {
    await runtime.stop();
  }
}
