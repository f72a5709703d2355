// @ts-check
import { inTurns, socketCalls } from '../support/calls.mjs';
import { handlers, routesByName, serve, writeCall, writeConfig } from '../support/stage.mjs';

/** @type {Record<string, Partial<import('../support/stage.mjs').Setup> & { object?: string }>} */
const variants = {
  'as it is': {},
  'as it is, again (noise)': {},
  'no journal': { journal: false },
  'runner a plain process': { sandbox: { isolation: 'process', require: 'process' } },
  'no handler, so no runner': { object: 'none-1' },
};

/**
 * Measures the cost of each layer by leaving it out. bench/fuel.mjs measures fuel.
 * @param {import('../support/stage.mjs').Stage} stage
 * @param {{ scale: number }} options
 * @returns {Promise<import('../support/report.mjs').Section>}
 */
export async function isolation(stage, { scale }) {
  const rivals = [];
  try {
    for (const [at, [name, { object = 'compiled-1', ...setup }]] of Object.entries(variants).entries()) {
      const { compiled } = handlers;
      const routes = routesByName(['compiled']);
      const config = await writeConfig(stage, `layers-${at}`, { handlers: { compiled }, routes, ...setup });
      const frame = await writeCall(stage, `layers-${at}.call`, { object });
      const { stop } = await serve(config.file);
      const measure = () => socketCalls(stage, { socket: config.socket, frame, count: 30, pauseUs: 2_000 });
      rivals.push({ name, measure, stop });
    }
    await inTurns(rivals, 2);
    const rows = await inTurns(rivals, Math.ceil(16 * scale));
    return { title: 'Layers left out (2 ms apart, over the socket)', unit: 'µs', rows, targets: [] };
  } finally {
    await Promise.all(rivals.map(({ stop }) => stop()));
  }
}
