// @ts-check
import { join } from 'node:path';
import { classicHooks } from '../support/hooks.mjs';
import { inTurns, p50Of, rowOf, socketCalls, spawnCalls } from '../support/calls.mjs';
import { handlers, root, routesByName, serve, startProgram, writeCall, writeConfig } from '../support/stage.mjs';

/** @typedef {import('../support/report.mjs').Section} Section */

/** The script that the script handler runs, which also runs directly for comparison. */
const sources = ['compiled', 'extism', 'typescript', 'script'];

/**
 * Measures one hook call as libvirt makes it: fork, exec, the document on stdin, exit and end of file.
 * @param {import('../support/stage.mjs').Stage} stage
 * @param {{ scale: number }} options
 * @returns {Promise<Section>}
 */
export async function hookCall(stage, { scale }) {
  const hooks = await classicHooks(stage);
  const script = { backend: 'script', source: hooks['sh'], arguments: 'libvirt', failurePolicy: 'fail' };
  const { file, socket } = await writeConfig(stage, 'hook-call', {
    handlers: { ...handlers, script },
    routes: routesByName(sources),
  });
  const floor = await startFloor(stage);
  const first = await firstCalls(stage, { file, socket });
  const bare = [await serveBare(stage, 'one', {}), await serveBare(stage, 'two', handlers)];
  const runtime = await serve(file);
  try {
    await warmUp(stage, socket, ['none', ...sources]);
    for (const each of bare) await warmUp(stage, each.socket, ['none']);
    const env = { HOOKVISOR_SOCKET: socket, FLOOR_SOCKET: stage.path('floor.sock') };
    /**
     * @param {string} name
     * @param {string} program
     * @param {{ object?: string, pauseUs?: number, asks?: string }} [options] `asks`: the socket that the client calls
     */
    const rival = (name, program, { object = 'web-1', pauseUs = 2_000, asks = socket } = {}) => {
      const argv = [program, object, 'prepare', 'begin', '-'];
      const make = (/** @type {number} */ count) =>
        spawnCalls(stage, { argv, count, pauseUs, env: { ...env, HOOKVISOR_SOCKET: asks } });
      // Some take a hundred times as long as others and are measured less often.
      const count = /python|node|xmllint/u.test(name) ? 4 : 26;
      return { name, measure: () => make(count) };
    };
    const floorClient = stage.program('floor-client');
    const rivals = [
      rival('static C, nothing', stage.program('noop')),
      rival('floor: C and socket', floorClient),
      rival('floor again (noise)', floorClient),
      ...(stage.musl ? [rival('floor, built with musl', stage.program('floor-client-musl'))] : []),
      rival('our client, a Node that echoes', stage.hook, { asks: bare[0]?.socket ?? '' }),
      rival('our client, two of them', stage.hook, { asks: bare[1]?.socket ?? '' }),
      rival('no handler', stage.hook, { object: 'none-1' }),
      rival('compiled component', stage.hook, { object: 'compiled-1' }),
      rival('AssemblyScript, Extism', stage.hook, { object: 'extism-1' }),
      rival('TypeScript component', stage.hook, { object: 'typescript-1' }),
      rival('script handler (sh)', stage.hook, { object: 'script-1' }),
      rival('floor, 10 ms apart', floorClient, { pauseUs: 10_000 }),
      rival('TypeScript, 10 ms apart', stage.hook, { object: 'typescript-1', pauseUs: 10_000 }),
      rival('floor, back to back', floorClient, { pauseUs: 0 }),
      rival('compiled, back to back', stage.hook, { object: 'compiled-1', pauseUs: 0 }),
      ...Object.entries(hooks).map(([name, path]) => rival(name, path)),
    ];
    // One call each, so that none is measured while it is read from the disk.
    await inTurns(rivals, 1);
    const rows = [...(await inTurns(rivals, Math.ceil(24 * scale))), first];
    return { title: 'One hook call, as libvirt makes it', unit: 'µs', rows, targets: targetsOf(rows) };
  } finally {
    await Promise.all([...bare, runtime, floor].map(({ stop }) => stop()));
  }
}

/**
 * Starts the lower bound for any runtime in Node: an echo, with a runner if there are handlers.
 * @param {import('../support/stage.mjs').Stage} stage
 * @param {string} name
 * @param {Record<string, object>} handlers
 */
async function serveBare(stage, name, handlers) {
  const { file, socket } = await writeConfig(stage, `bare-${name}`, { handlers, routes: [] });
  const { stop } = await serve(file, join(root, 'bench', 'support', 'bare-node.mjs'));
  return { socket, stop };
}

/**
 * Measures the first events after a start, before V8 has optimized anything.
 * @param {import('../support/stage.mjs').Stage} stage
 * @param {{ file: string, socket: string }} runtime
 */
async function firstCalls(stage, { file, socket }) {
  const runtime = await serve(file);
  try {
    const argv = [stage.hook, 'compiled-1', 'prepare', 'begin', '-'];
    const calls = await spawnCalls(stage, { argv, count: 200, pauseUs: 2_000, env: { HOOKVISOR_SOCKET: socket } });
    return rowOf('compiled, first 200 after a start', calls);
  } finally {
    await runtime.stop();
  }
}

/**
 * Warms up a runtime with some events of each kind, because a real one runs for months.
 * @param {import('../support/stage.mjs').Stage} stage
 * @param {string} socket
 * @param {readonly string[]} names Of objects, up to the hyphen.
 */
async function warmUp(stage, socket, names) {
  for (const name of names) {
    const frame = await writeCall(stage, 'warm.call', { object: `${name}-1` });
    await socketCalls(stage, { socket, frame, count: 2_000 });
  }
}

/** @param {import('../support/stage.mjs').Stage} stage */
async function startFloor(stage) {
  const { path, program } = stage;
  const script = `"${program('floor-server')}" "${path('floor.sock')}" & echo ready; trap "kill $!" TERM; wait`;
  const server = await startProgram('/bin/sh', ['-c', script], /ready/u);
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { failed } = await spawnCalls(stage, {
      argv: [program('floor-client')],
      count: 1,
      env: { FLOOR_SOCKET: path('floor.sock') },
    });
    if (failed === 0) return server;
  }
  throw new Error('the server of the floor does not start');
}

/** @param {readonly import('../support/calls.mjs').Row[]} rows */
function targetsOf(rows) {
  const p50 = (/** @type {string} */ name) => p50Of(rows, name);
  const compiled = rows.find(({ name }) => name === 'compiled component');
  const floor = p50('floor: C and socket');
  return [
    { name: 'compiled component ÷ floor, p50, 2 ms apart', most: 1.6, measured: p50('compiled component') / floor },
    { name: 'compiled component ÷ empty bash, p50', most: 0.8, measured: p50('compiled component') / p50('bash') },
    {
      name: 'compiled component ÷ floor, back to back',
      most: 2,
      measured: p50('compiled, back to back') / p50('floor, back to back'),
    },
    {
      name: 'compiled component, p99 ÷ p50',
      most: 4,
      measured: (compiled?.p99 ?? 0) / (compiled?.p50 ?? 1),
    },
    {
      name: 'TypeScript component ÷ floor, p50, 10 ms apart',
      most: 1.8,
      measured: p50('TypeScript, 10 ms apart') / p50('floor, 10 ms apart'),
    },
    {
      name: 'script handler − script run directly, p50, ms',
      most: 0.5,
      measured: (p50('script handler (sh)') - p50('sh')) / 1_000,
    },
  ];
}
