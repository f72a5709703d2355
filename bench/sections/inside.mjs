// @ts-check
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { rowOf, socketCalls } from '../support/calls.mjs';
import { handlers, root, routesByName, serve, writeCall, writeConfig } from '../support/stage.mjs';

/** @typedef {import('../support/timed-server.mjs').Stages} Stages */
/** @typedef {{ name: string, label: string, setup: Partial<import('../support/stage.mjs').Setup>, object: string }} Variant */

/** @type {readonly Variant[]} */
const variants = [
  { name: 'compiled', label: 'compiled component', setup: {}, object: 'compiled-1' },
  { name: 'typescript', label: 'TypeScript component', setup: {}, object: 'typescript-1' },
  { name: 'without-journal', label: 'compiled, no journal', setup: { journal: false }, object: 'compiled-1' },
  { name: 'no-handler', label: 'no handler', setup: {}, object: 'none-1' },
];

const time = z.number();
const reportSchema = z.array(z.object({ total: time, decode: time, decide: time, handlers: time, encode: time }));

const stages = /** @type {const} */ (['total', 'decode', 'decide', 'handlers', 'encode']);
const words = {
  total: 'socket in → answer out',
  decode: 'read and decode',
  decide: 'route, verdict, journal',
  handlers: 'handler: pipe, instance, call',
  encode: 'encode and write',
};

/**
 * Measures what one event costs inside the runtime, from request bytes to reply bytes, by stage.
 * @param {import('../support/stage.mjs').Stage} stage
 * @param {{ scale: number }} options
 * @returns {Promise<import('../support/report.mjs').Section>}
 */
export async function inside(stage, { scale }) {
  const { compiled, typescript } = handlers;
  const servers = await Promise.all(
    variants.map(async ({ name, label, setup, object }) => {
      const routes = routesByName(['compiled', 'typescript']);
      const config = await writeConfig(stage, name, { handlers: { compiled, typescript }, routes, ...setup });
      const program = join(root, 'bench', 'support', 'timed-server.mjs');
      const frame = await writeCall(stage, `${name}.call`, { object });
      return { label, socket: config.socket, frame, served: await serve(config.file, program), seen: 0 };
    }),
  );
  /** @type {Map<string, Stages[]>} */
  const found = new Map(servers.map(({ label }) => [label, []]));
  try {
    for (let round = -1; round < Math.ceil(10 * scale); round += 1) {
      for (const server of servers) {
        const { socket, frame, label } = server;
        await socketCalls(stage, { socket, frame, count: 40, pauseUs: 2_000 });
        const events = await report(server);
        if (round >= 0) found.get(label)?.push(...events);
      }
    }
  } finally {
    await Promise.all(servers.map(({ served }) => served.stop()));
  }
  const rows = [...found].flatMap(([label, events]) =>
    stages.map((each) => rowOf(`${label}: ${words[each]}`, { us: events.map((event) => event[each]), failed: 0 })),
  );
  const [total] = rows;
  const call = rowOf('the call itself, in this process', { us: await callAlone(scale), failed: 0 });
  return {
    title: 'Inside the runtime',
    unit: 'µs',
    rows: [...rows, call],
    targets: [{ name: 'inside the runtime, compiled component, p50, µs', most: 300, measured: total?.p50 ?? null }],
  };
}

/**
 * @param {{ served: import('../support/stage.mjs').Served, seen: number }} server
 * @returns {Promise<Stages[]>}
 */
async function report(server) {
  process.kill(server.served.pid, 'SIGUSR2');
  for (;;) {
    const lines = server.served.text().split('\n').slice(0, -1);
    const reports = lines.filter((line) => line.startsWith('stages '));
    const next = reports[server.seen];
    if (next !== undefined) {
      server.seen += 1;
      return reportSchema.parse(JSON.parse(next.slice('stages '.length)));
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Measures the call of a fresh instance without any process or pipe.
 * @param {number} scale
 */
async function callAlone(scale) {
  const { admitPlugin } = await import('../../dist/admission/admit.js');
  const { loadComponent } = await import('../../dist/runner/component.js');
  const bytes = await readFile(handlers.compiled.source);
  const limits = { deadlineMs: 2_000, fuel: 50_000_000, memoryBytes: 64 * 1_048_576 };
  const artefact = await admitPlugin(bytes, { backend: 'component', memoryBytes: limits.memoryBytes });
  const guest = await loadComponent({ artefact, settings: '{}', limits });
  const document = await readFile(new URL('../guests/domain.xml', import.meta.url));
  const fields = { kind: 'domain', name: 'web-1', event: 'prepare', qualifier: 'begin', driver: 'qemu' };
  const event = { id: 'bench', time: 0, extra: null, uuid: null, ...fields };
  const us = [];
  for (let turn = 0; turn < 500 * scale; turn += 1) {
    await guest.prepare();
    const began = performance.now();
    await guest.evaluate({ event, document });
    us.push((performance.now() - began) * 1_000);
  }
  return us;
}
