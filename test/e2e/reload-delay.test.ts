import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tmpdir } from 'node:os';
import { decodeHeadAndTail } from '../../src/contract/framing.js';
import { packageRoot } from '../../src/shared/paths.js';
import { callsDuring, commandFrame, exchange } from '../support/dispatch-delay.js';
import { samplePlugin, writeConfig } from '../support/runtime.js';

/**
 * A reload may delay a hook call by 100 ms. A request that only the main thread answers takes a few turns of its loop, so
 * this much of the thread's processor time between request and answer bounds every delay. Three times as much is asserted:
 * the slowest machines that run this compute at a third of the speed.
 */
const mostBusyMs = 300;

const handler = (source: string, more = ''): string =>
  `{ backend: component, source: ${source}, failurePolicy: fail${more} }`;
const tiny = handler(samplePlugin('tiny-allow'));
const usual = `handlers: { tiny: ${tiny} }\nroutes: [ { match: {}, handlers: [tiny] } ]\n`;
const list = (count: number, text: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => text(at)).join('');
const script = (policy: string): string => `{ backend: script, source: /bin/true, failurePolicy: ${policy} }`;
const letters = 'abcdefghi';

const files: readonly (readonly [what: string, yaml: string, answer: RegExp])[] = [
  ['a small one', usual, /^$/u],
  ['40,000 unknown keys', `${usual}limits: {${list(40_000, (at) => `key${String(at)}: 1, `)}}`, /has 101 problems/u],
  [
    'handlers and routes up to its bound',
    `handlers:\n${list(10_000, (at) => `  h${String(at)}: ${script('ignore')}\n`)}routes:\n${list(10_000, (at) => `  - { match: { name: 'a${String(at)}*' }, handlers: [h${String(at)}] }\n`)}`,
    /^$/u,
  ],
  [
    'chains of fallbacks',
    `handlers:\n${list(8_000, (at) => `  h${String(at)}: ${script(at % 16 === 15 ? 'fail' : `{ fallback: h${String(at + 1)} }`)}\n`)}`,
    /^$/u,
  ],
  [
    'patterns for names up to its bound',
    `handlers: { tiny: ${tiny} }\nroutes: [ { match: { name: [${list(190_000, (at) => `a${String(at)}*,`)}] }, handlers: [tiny] } ]`,
    /^$/u,
  ],
  [
    'settings of four megabytes',
    `handlers: { tiny: ${handler(samplePlugin('tiny-allow'), `, settings: { x: '${'y'.repeat(4_000_000)}' }`)} }`,
    /^$/u,
  ],
  [
    'aliases that stand for gigabytes',
    `${usual}limits:\n  a: &a [x,x,x,x,x,x,x,x,x]\n${list(8, (at) => `  ${letters.charAt(at + 1)}: &${letters.charAt(at + 1)} [${`*${letters.charAt(at)},`.repeat(9)}]\n`)}`,
    /aliases/u,
  ],
  ['brackets by the hundred thousand', `${usual}limits: ${'['.repeat(390_000)}`, /nest(?:ed)? /u],
  [
    'more tokens than are allowed',
    `${usual}limits: {${list(200_000, (at) => `k${String(at)}: 1, `)}}`,
    /more than 400000 words/u,
  ],
  ['more bytes than are allowed', `${usual}${'#'.repeat(4 * 1024 * 1024)}`, /4194304 are allowed/u],
  [
    'plugins in twelve trust groups',
    `handlers: {${list(12, (at) => `h${String(at)}: ${handler(samplePlugin('naming'), `, trust: t${String(at)}, settings: { pattern: t }`)}, `)}}`,
    /^$/u,
  ],
];

describe('a reload', () => {
  let dir: string;
  let runtime: { socket: string; pid: number };
  let end = (): Promise<void> => Promise.resolve();

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'hookvisor-test-'));
    const config = await writeConfig(dir, usual);
    const child = spawn(process.execPath, [join(packageRoot, 'dist/commands/main.js'), 'serve', '--config', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    end = async () => {
      child.kill('SIGTERM');
      await once(child, 'close');
      rmSync(dir, { recursive: true, force: true });
    };
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('listening on')) resolve();
      });
      child.once('close', () => {
        reject(new Error(`the runtime ended: ${said}`));
      });
    });
    runtime = { socket: join(dir, 'hv.sock'), pid: child.pid ?? 0 };
    // What an event runs is compiled, and its runner is there.
    await callsDuring(runtime, () => Promise.resolve());
  });
  afterAll(() => end());
  beforeEach((ctx) => {
    if (!existsSync('/proc/self/schedstat')) ctx.skip('this kernel does not count the time of threads (schedstat)');
  });

  it.each(files)('keeps no hook call waiting when the file has %s', { timeout: 180_000 }, async (_, yaml, answer) => {
    // What the case before left in force may cost each event much: that is not the reload's doing.
    await writeConfig(dir, usual);
    await exchange(runtime.socket, commandFrame('reload'));
    await writeConfig(dir, yaml);
    let said = '';
    const { statuses, busyMs } = await callsDuring(runtime, async () => {
      const { body } = await exchange(runtime.socket, commandFrame('reload'));
      const { head } = decodeHeadAndTail(body);
      said = typeof head === 'object' && head !== null && 'message' in head ? String(head.message) : '';
    });
    expect(said).toMatch(answer);
    expect([...statuses]).toEqual([0]);
    expect(busyMs).toBeLessThan(mostBusyMs);
  });
});
