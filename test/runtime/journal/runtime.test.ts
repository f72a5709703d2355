import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtime/runtime.js';
import { namesIn, openTestJournal } from '../../support/journal.js';
import { samplePlugin, serve } from '../../support/runtime.js';
import { temporaryFolder, write } from '../../support/temp.js';

async function emit(runtime: Runtime, name: string, document: string | null = null): Promise<void> {
  const words = { kind: 'domain', name, event: 'start', qualifier: 'begin' };
  await runtime.emit({ command: 'emit', ...words }, document === null ? null : Buffer.from(document));
}

it('a record names the plugin and the settings that decided, by their digests', async () => {
  const settings = { pattern: '^[a-z]+$' };
  const { runtime, journaled } = await serve(
    `handlers: { naming: { backend: component, source: ${samplePlugin('naming')}, settings: ${JSON.stringify(settings)}, failurePolicy: fail } }
routes: [ { match: {}, handlers: [naming] } ]`,
  );
  await emit(runtime, 'tiny', '<domain><name>tiny</name></domain>');
  expect(journaled()[0]?.handlers[0]).toMatchObject({
    handler: 'naming',
    digest: hash('sha256', readFileSync(samplePlugin('naming'))),
    settings: hash('sha256', JSON.stringify(settings)),
  });
});

it('a reload moves the journal to another folder and frees the one before', async () => {
  const dir = temporaryFolder();
  const { runtime, configFile } = await serve('', dir);
  await emit(runtime, 'before');
  const text = readFileSync(configFile, 'utf8');
  await write(dir, 'hookvisor.yaml', text.replace('journal: { dir: journal }', 'journal: { dir: other }'));
  await runtime.reload();
  await emit(runtime, 'after');
  expect(await namesIn(join(dir, 'journal'))).toEqual(['before']);
  expect(await namesIn(join(dir, 'other'))).toEqual(['after']);
  await openTestJournal(join(dir, 'journal'));
  await expect(openTestJournal(join(dir, 'other'))).rejects.toMatchObject({ code: 'already-running' });
});

it('a reload takes other settings of the journal in the same folder', async () => {
  const dir = temporaryFolder();
  const { runtime, configFile, journaled } = await serve('', dir);
  const document = "<domain><graphics passwd='x'/></domain>";
  await emit(runtime, 'before', document);
  const text = readFileSync(configFile, 'utf8');
  await write(dir, 'hookvisor.yaml', text.replace('dir: journal }', 'dir: journal, redact: false, sync: always }'));
  await runtime.reload();
  await emit(runtime, 'after', document);
  expect(journaled().map((record) => record.document?.redacted)).toEqual([true, false]);
});
