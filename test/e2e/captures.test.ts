import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookUp } from '../../src/runtime/libvirt/catalog.js';
import { captures } from '../support/captures.js';
import { hookCaller } from '../support/client.js';
import { samplePlugin, serve } from '../support/runtime.js';
import { temporaryFolder, writeScript } from '../support/temp.js';

const isFilter = (driver: string, argv: readonly string[]): boolean =>
  lookUp({ driver, event: argv[1] ?? '', qualifier: argv[2] ?? '' })?.filter === true;

/** One handler of each backend; `last` is the script that runs last. */
function allBackends(last: string): string {
  return `
handlers:
  naming: { backend: component, source: ${samplePlugin('naming')}, settings: { pattern: '^[a-z-]+$' }, failurePolicy: fail }
  quota: { backend: extism, source: ${samplePlugin('quota')}, settings: { maxMemoryMiB: 64, maxVcpus: 2 }, failurePolicy: fail }
  tiny: { backend: component, source: ${samplePlugin('tiny-allow')}, failurePolicy: fail }
  last: { backend: script, source: ${last}, failurePolicy: fail }
routes:
  - { match: {}, handlers: [naming, quota, tiny, last] }
`;
}

describe('every recorded call of a real libvirtd', () => {
  it('gets a verdict through the client, all three backends and the journal, and its document is left as it is', async () => {
    const dir = temporaryFolder();
    const { socket, journaled } = await serve(allBackends(await writeScript(dir, 'last', 'exit 0')), dir);
    const call = hookCaller(dir, socket);
    expect(captures).toHaveLength(101);
    for (const { driver, argv, stdin } of captures) {
      const run = await call(driver, argv, stdin);
      expect({ argv, ...run }).toEqual({ argv, status: 0, stdout: Buffer.alloc(0), stderr: '' });
    }
    const records = journaled();
    expect(records).toHaveLength(101);
    records.forEach((record, at) => {
      const { driver, argv } = captures[at] ?? { driver: '', argv: [] };
      expect([record.event.driver, record.event.name, record.event.event]).toEqual([driver, argv[0], argv[1]]);
      expect(record).toMatchObject({ verdict: 'allow', answered: 'allow', reason: null });
      expect(record.handlers.map(({ handler, outcome, failure }) => [handler, outcome, failure])).toEqual(
        ['naming', 'quota', 'tiny', 'last'].map((handler) => [handler, 'allow', null]),
      );
      for (const one of record.handlers) {
        if (one.backend === 'script') expect(one.fuel).toBeNull();
        else expect(one.fuel).toBeGreaterThan(0);
      }
    });
  });

  it('with a filter operation gets back what a handler made of the document, and the others get nothing', async () => {
    const dir = temporaryFolder();
    const rewrite = await writeScript(dir, 'last', `sed 's|</uuid>|</uuid><title>moved here</title>|'`);
    const { socket } = await serve(allBackends(rewrite), dir);
    const call = hookCaller(dir, socket);
    let replaced = 0;
    for (const { driver, argv, stdin } of captures) {
      const run = await call(driver, argv, stdin);
      const expected = isFilter(driver, argv)
        ? (stdin ?? '').replace('</uuid>', '</uuid><title>moved here</title>')
        : '';
      if (expected !== '') replaced += 1;
      expect(run.status).toBe(0);
      expect(run.stdout.toString()).toBe(expected);
    }
    expect(replaced).toBeGreaterThan(4);
  });

  it('is denied with the reason of the handler where the settings forbid it', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'last', 'exit 0');
    const { socket } = await serve(allBackends(script).replace('maxMemoryMiB: 64', 'maxMemoryMiB: 4'), dir);
    const call = hookCaller(dir, socket);
    const denied = z.string().regex(/^quota: .*8 MiB.*4 MiB.*\n$/);
    for (const { driver, argv, stdin } of captures.filter((one) => one.argv[1] === 'prepare').slice(0, 3)) {
      const run = await call(driver, argv, stdin);
      expect(run.status).toBe(1);
      denied.parse(run.stderr);
    }
  });
});
