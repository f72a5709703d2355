// @ts-check
import { readFile } from 'node:fs/promises';
import { inTurns, p50Of, socketCalls } from '../support/calls.mjs';
import { handlers, serve, writeCall, writeConfig } from '../support/stage.mjs';
import { journalGrowth } from '../support/journal-growth.mjs';
import { rssOf, runnerOf } from '../support/processes.mjs';

const { compiled } = handlers;
const all = { match: { driver: 'qemu' }, handlers: ['plugin-0'] };
const many = (/** @type {number} */ count) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`plugin-${at}`, compiled]));

const mib = 1_048_576;

/** @type {Record<string, { setup: import('../support/stage.mjs').Setup, bytes?: number }>} */
const variants = {
  '1 route': { setup: { handlers: many(1), routes: [all] } },
  '10,000 routes': {
    setup: {
      handlers: many(1),
      routes: [
        ...Array.from({ length: 9_999 }, (_, at) => ({ match: { name: `other-${at}` }, handlers: ['plugin-0'] })),
        all,
      ],
    },
  },
  '1 plugin': { setup: { handlers: many(1), routes: [all] } },
  '200 plugins': { setup: { handlers: many(200), routes: [all] } },
  ...Object.fromEntries(
    [1_400, 32_000, mib].map((bytes) => [
      `document of ${Math.round(bytes / 1_000)} KB`,
      { setup: { handlers: many(1), routes: [all] }, bytes },
    ]),
  ),
  ...Object.fromEntries(
    [1, 4, 16].map((count) => [
      `${count} in the chain`,
      { setup: { handlers: many(count), routes: [{ ...all, handlers: Object.keys(many(count)) }] } },
    ]),
  ),
};

/**
 * Measures what becomes slower with more routes, plug-ins and handlers in a chain, a larger document or journal.
 * @param {import('../support/stage.mjs').Stage} stage
 * @param {{ scale: number }} options
 * @returns {Promise<import('../support/report.mjs').Section>}
 */
export async function growth(stage, { scale }) {
  const domain = await readFile(stage.document);
  /** @type {{ name: string, measure: () => Promise<import('../support/calls.mjs').Calls>, pid: number, stop: () => Promise<void> }[]} */
  const rivals = [];
  try {
    for (const [at, [name, { setup, bytes }]] of Object.entries(variants).entries()) {
      const config = await writeConfig(stage, `growth-${at}`, setup);
      const document = bytes === undefined ? domain : Buffer.concat([domain, Buffer.alloc(bytes - domain.length, ' ')]);
      const frame = await writeCall(stage, `growth-${at}.call`, { object: 'web-1', document });
      const { pid, stop } = await serve(config.file);
      const measure = () => socketCalls(stage, { socket: config.socket, frame, count: 30, pauseUs: 2_000 });
      rivals.push({ name, measure, pid, stop });
    }
    await inTurns(rivals, 2);
    const rows = await inTurns(rivals, Math.ceil(12 * scale));
    const [one, more] = ['1 plugin', '200 plugins'].map(
      (name) => rivals.find((rival) => rival.name === name)?.pid ?? 0,
    );
    const grown = (rssOf(runnerOf(more ?? 0)) - rssOf(runnerOf(one ?? 0))) / 199;
    const ratio = (/** @type {string} */ than, /** @type {string} */ name) => p50Of(rows, name) / p50Of(rows, than);
    return {
      title: 'Growth (2 ms apart, over the socket)',
      unit: 'µs',
      rows: [
        ...rows,
        { name: 'each further compiled plugin', value: grown, unit: 'MB' },
        ...(await journalGrowth(stage, Math.ceil(200_000 * scale))),
      ],
      targets: [
        { name: '10,000 routes ÷ 1, p50', most: 1.15, measured: ratio('1 route', '10,000 routes') },
        { name: '200 plugins ÷ 1, p50', most: 1.15, measured: ratio('1 plugin', '200 plugins') },
        { name: 'each further compiled plugin, MB', most: 5, measured: grown },
      ],
    };
  } finally {
    await Promise.all(rivals.map(({ stop }) => stop()));
  }
}
