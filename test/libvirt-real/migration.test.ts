import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHost, type Host, type Ran } from './support/host.js';
import { defineGuest, must, stateOf } from './support/objects.js';
import { denial, placeDenier, placeRewriter } from './support/plugins.js';

/** A handler that replaces text in the documents of migrations and restores. */
const rewriting = (find: string, text: string, grants = '[replace]'): string => `handlers:
  rewrite: { backend: extism, source: rewrite.wasm, grants: ${grants}, failurePolicy: fail, settings: ${JSON.stringify({ find, with: text })} }
routes: [{ match: { event: [migrate, restore] }, handlers: [rewrite] }]`;

let source: Host;
let destination: Host;
beforeAll(async () => {
  [source, destination] = await Promise.all([createHost({ name: 'source' }), createHost({ name: 'destination' })]);
  await Promise.all([placeRewriter(source), placeRewriter(destination), placeDenier(destination)]);
});
afterAll(async () => {
  await Promise.all([source[Symbol.asyncDispose](), destination[Symbol.asyncDispose]()]);
});

const migrate = (name: string, ...more: readonly string[]): Promise<Ran> => {
  const way = `unix://${join(destination.machine.dir, `${name}.sock`)}`;
  return source.virsh('migrate', '--live', '--p2p', name, destination.uri('qemu'), '--migrateuri', way, ...more);
};

async function startGuest(name: string, disk?: string): Promise<void> {
  await defineGuest(source, name, disk === undefined ? {} : { disk });
  await must(source.virsh('start', name));
}

function emptyDisk(name: string): string {
  const file = join(source.machine.dir, name);
  writeFileSync(file, Buffer.alloc(65_536));
  return file;
}

describe('migration', () => {
  it('a plugin gives the guest a title on its way', async () => {
    await destination.configure(rewriting('</uuid>', '</uuid><title>came from afar</title>'));
    await startGuest('titled');
    await must(migrate('titled'));
    expect(await must(destination.virsh('desc', 'titled', '--title'))).toBe('came from afar');
    expect(await stateOf(destination, 'titled')).toBe('running');
    const [first, ...then] = await destination.events('titled');
    expect(first?.event).toMatchObject({ event: 'migrate', qualifier: 'begin' });
    expect(first?.handlers[0]).toMatchObject({ handler: 'rewrite', outcome: 'replace' });
    expect(then.map(({ event }) => event.event)).toEqual(['prepare', 'start', 'started']);
    expect((await source.events('titled')).slice(-2).map(({ event }) => event.event)).toEqual(['stopped', 'release']);
    await must(destination.virsh('destroy', 'titled'));
  });

  it('a plugin moves the guest to the disk that the destination has', async () => {
    const [here, there] = [emptyDisk('here.img'), emptyDisk('there.img')];
    await destination.configure(rewriting(here, there));
    await startGuest('moved', here);
    await must(migrate('moved', '--unsafe'));
    const disks = await must(destination.virsh('domblklist', 'moved'));
    expect(disks).toContain(there);
    expect(disks).not.toContain(here);
    await must(destination.virsh('destroy', 'moved'));
  });

  it.each([
    ['another name', '<name>stays', '<name>other', 'rewrite: cannot decide: .*name'],
    ['another UUID', '<uuid>', '<uuid>9', 'rewrite: cannot decide: .*uuid'],
    ['no XML', '</domain>', '</domain', 'rewrite: cannot decide: .*XML'],
    ['nothing', '<', ' ', 'rewrite: cannot decide: '],
  ])('a replacement with %s is refused, and the guest runs on at the source', async (what, find, text, expected) => {
    const name = `stays-${what.replaceAll(' ', '-')}`;
    await destination.configure(rewriting(find, text));
    await startGuest(name);
    const { status, err } = await migrate(name);
    expect(status).toBe(1);
    expect(err).toMatch(new RegExp(`unexpected exit status 1: ${expected}`, 'iu'));
    expect(await stateOf(source, name)).toBe('running');
    expect(await stateOf(destination, name)).toBe('gone');
    const [event] = await destination.events(name);
    expect(event?.handlers[0]?.failure).toBe('bad-replacement');
    await must(source.virsh('destroy', name));
  });

  it('a replacement without the grant is refused', async () => {
    await destination.configure(rewriting('</uuid>', '</uuid><title>t</title>', '[]'));
    await startGuest('ungranted');
    expect((await migrate('ungranted')).err).toContain('rewrite: cannot decide: ');
    const [event] = await destination.events('ungranted');
    expect(event?.handlers[0]?.failure).toBe('not-granted');
    expect(await stateOf(source, 'ungranted')).toBe('running');
  });

  it('a denied migration leaves the guest on the source', async () => {
    await destination.configure(
      "handlers: { no: { backend: extism, source: no.wasm, failurePolicy: fail } }\nroutes: [{ match: { event: migrate }, handlers: ['no'] }]",
    );
    await startGuest('unwelcome');
    expect((await migrate('unwelcome')).err).toMatch(denial);
    expect(await stateOf(source, 'unwelcome')).toBe('running');
  });

  it('what libvirt itself refuses in a replaced document leaves the guest on the source, too', async () => {
    await destination.configure(rewriting("<memory unit='KiB'>8192", "<memory unit='KiB'>16384"));
    await startGuest('grown');
    expect((await migrate('grown')).status).toBe(1);
    expect(await stateOf(source, 'grown')).toBe('running');
  });
});

describe('restore', () => {
  it('a plugin changes title and disk of a guest that comes back', async () => {
    const [before, after] = [emptyDisk('before.img'), emptyDisk('after.img')];
    await source.configure(rewriting(before, after));
    await startGuest('back', before);
    await must(source.virsh('managedsave', 'back'));
    await must(source.virsh('start', 'back'));
    expect(await must(source.virsh('domblklist', 'back'))).toContain(after);
    const [restored] = (await source.events('back')).filter(({ event }) => event.event === 'restore');
    expect(restored?.handlers[0]).toMatchObject({ handler: 'rewrite', outcome: 'replace' });
    await must(source.virsh('destroy', 'back'));
  });

  it('a replacement that breaks the document is refused, and the saved state is kept', async () => {
    await startGuest('kept');
    await must(source.virsh('managedsave', 'kept'));
    await source.configure(rewriting('</domain>', '</domain'));
    expect((await source.virsh('start', 'kept')).err).toContain('rewrite: cannot decide: ');
    await source.configure(rewriting('</uuid>', '</uuid><title>whole again</title>'));
    await must(source.virsh('start', 'kept'));
    expect(await must(source.virsh('desc', 'kept', '--title'))).toBe('whole again');
  });
});
