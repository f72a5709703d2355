import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hookCaller } from '../support/client.js';
import { samplePlugin, serve, writeConfig } from '../support/runtime.js';
import { temporaryFolder, writeScript } from '../support/temp.js';

const denyAll = 'echo "no" >&2; exit 1';

describe('a reload', () => {
  it('swaps in the new configuration', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'deny', denyAll);
    const { socket, runtime } = await serve('', dir);
    const call = hookCaller(dir, socket);
    expect((await call('qemu', ['tiny', 'start', 'begin', '-'])).status).toBe(0);
    await writeConfig(dir, `events_script: ${script}`);
    await runtime.reload();
    expect((await call('qemu', ['tiny', 'start', 'begin', '-'])).status).toBe(1);
    expect(runtime.status().reloads).toEqual({ done: 1, lastError: null });
  });

  it('of a bad configuration keeps the old one and says why', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'deny', denyAll);
    const { socket, runtime, said } = await serve(`events_script: ${script}`, dir);
    const call = hookCaller(dir, socket);
    await writeConfig(dir, 'handlers: { x: { backend: magic } }');
    await expect(runtime.reload()).rejects.toMatchObject({ code: 'config-invalid' });
    expect((await call('qemu', ['tiny', 'start', 'begin', '-'])).status).toBe(1);
    expect(runtime.status().reloads.lastError).toContain('handlers.x');
    expect(said.join('\n')).toContain('the active configuration is kept');
  });

  it('tells what is doubtful about the new configuration, as the start does', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'deny', denyAll);
    const yaml = (kind: string): string =>
      `handlers: { a: { backend: script, source: ${script}, failurePolicy: fail } }
routes: [ { match: { kind: ${kind} }, handlers: [a] } ]`;
    const { runtime, said, configFile } = await serve(yaml('domian'), dir);
    const doubt = (kind: string, meant: string): string =>
      `warn: configuration '${configFile}': routes[0].match.kind: libvirt has no kind '${kind}'; did you mean '${meant}'?`;
    expect(said).toContain(doubt('domian', 'domain'));
    await writeConfig(dir, yaml('netwrok'));
    await runtime.reload();
    expect(said).toContain(doubt('netwrok', 'network'));
  });

  it('whose plugin cannot be loaded keeps the old one and names every such handler', async () => {
    const dir = temporaryFolder();
    const { runtime } = await serve('', dir);
    const handler = (source: string): string => `{ backend: component, source: ${source}, failurePolicy: fail }`;
    await writeConfig(dir, `handlers: { a: ${handler('a.wasm')}, b: ${handler('b.wasm')} }`);
    const failure = await runtime.reload().then(
      () => 'reloaded',
      (error: unknown) => String(error),
    );
    expect(failure).toContain('handlers.a:');
    expect(failure).toContain('handlers.b:');
    expect(runtime.status().handlers).toEqual([]);
  });

  it('whose plugin is larger than its bound keeps the old one', async () => {
    const dir = temporaryFolder();
    const yaml = (source: string, more = ''): string =>
      `handlers: { tiny: { backend: component, source: ${source}, failurePolicy: fail${more} } }`;
    const { runtime } = await serve(yaml(samplePlugin('tiny-allow')), dir);
    const [before] = runtime.status().handlers;
    await writeConfig(dir, yaml(samplePlugin('naming'), ', pluginSize: 1MiB'));
    await expect(runtime.reload()).rejects.toThrow(
      /handlers\.tiny: Cannot load the plug-in '.*naming\.wasm' of handler 'tiny': it has \d+ bytes; at most 1048576 are allowed; raise 'pluginSize'/u,
    );
    expect(runtime.status().handlers).toEqual([before]);
    expect(before?.digest).toMatch(/^[0-9a-f]{64}$/u);
    expect(runtime.status().reloads.done).toBe(0);
  });

  it('under load loses no event', async () => {
    const dir = temporaryFolder();
    const yaml = `handlers: { tiny: { backend: component, source: ${samplePlugin('tiny-allow')}, failurePolicy: fail } }
routes: [ { match: {}, handlers: [tiny] } ]`;
    const { socket, runtime } = await serve(yaml, dir);
    const call = hookCaller(dir, socket);
    let running = true;
    const statuses: (number | null)[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (running) statuses.push((await call('qemu', ['tiny', 'start', 'begin', '-'], '<domain/>')).status);
    });
    for (let at = 0; at < 3; at++) await runtime.reload();
    running = false;
    await Promise.all(load);
    expect(statuses.length).toBeGreaterThan(20);
    expect(new Set(statuses)).toEqual(new Set([0]));
    expect(runtime.status().events.withFailures).toBe(0);
  });

  it('that would move the socket is refused', async () => {
    const dir = temporaryFolder();
    const { runtime } = await serve('', dir);
    await writeConfig(dir, '').then(async (file) => {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(file, readFileSync(file, 'utf8').replace('hv.sock', 'other.sock'));
    });
    await expect(runtime.reload()).rejects.toThrow(/restart the runtime to change it/);
  });
});

describe('the budget', () => {
  it('is used up by the events of one start together, whatever its handlers came to', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'slow', 'sleep 0.3; exit 1');
    const handler = `{ backend: script, source: ${script}, failurePolicy: fail }`;
    const { socket, journaled } = await serve(
      `budget: 250ms\nhandlers: { slow: ${handler} }\nroutes: [ { match: {}, handlers: [slow] } ]`,
      dir,
    );
    const call = hookCaller(dir, socket);
    const document = '<domain><name>tiny</name><uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid></domain>';
    await call('qemu', ['tiny', 'prepare', 'begin', '-'], document);
    await call('qemu', ['tiny', 'start', 'begin', '-'], document);
    await call('qemu', ['tiny', 'prepare', 'begin', '-'], document);
    const [cut, spent, anew] = journaled().map(({ handlers }) => handlers[0]?.reason);
    expect(cut).toMatch(/^Cannot wait for the handler 'slow': after \d+ ms the budget of 250 ms/u);
    expect(spent).toContain("Cannot ask the handler 'slow': the budget of 250 ms");
    expect(anew).toMatch(/^Cannot wait for the handler 'slow'/u);
  });
});

describe('the journal', () => {
  it('has one record for each answered event, with the verdict, and names the document by its digest', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'deny', denyAll);
    const { socket, journaled } = await serve(`events_script: ${script}`, dir);
    const call = hookCaller(dir, socket);
    await call('qemu', ['tiny', 'start', 'begin', '-'], '<domain><name>tiny</name></domain>');
    await call('network', ['default', 'stopped', 'end', '-']);
    const records = journaled();
    expect(records).toMatchObject([
      { v: 1, verdict: 'deny', answered: 'deny', effect: 'aborts', document: { bytes: 34 }, event: { name: 'tiny' } },
      { v: 1, verdict: 'deny', answered: 'allow', effect: 'ignored', document: null, event: { name: 'default' } },
    ]);
    expect(JSON.stringify(records)).not.toContain('<domain>');
  });
});
