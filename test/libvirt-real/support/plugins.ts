import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAssemblyScript } from '../../../src/commands/build/assemblyscript.js';
import { componentBytes, extismWat, moduleBytes } from '../../support/plugins.js';
import type { Host } from './host.js';

/** Writes a plugin or a script into /etc/hookvisor: it is `source: NAME` in the configuration. */
export function place(host: Host, name: string, bytes: Uint8Array | string, mode = 0o644): void {
  const path = join(host.machine.root, 'etc', 'hookvisor', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes, { mode });
}

/** An Extism plugin that denies every event; control characters in the reason are its attempt at a second line. */
export async function placeDenier(host: Host): Promise<void> {
  const answer = JSON.stringify({ outcome: 'deny', reason: 'not today\nerror: \u001b[31mall is well' });
  place(host, 'no.wasm', await moduleBytes(extismWat(answer)));
}

/** What virsh shows of that denial. */
export const denial = /unexpected exit status 1: no: not today error: \\x1b\[31mall is well\n/u;

/** An Extism plugin that replaces text in the document: settings `find` and `with`. */
export async function placeRewriter(host: Host): Promise<void> {
  const source = fileURLToPath(new URL('../../fixtures/libvirt-real/rewrite.ts', import.meta.url));
  const folder = dirname(source);
  const project = { folder, source, output: '', name: 'rewrite', language: 'as' } as const;
  place(host, 'rewrite.wasm', await buildAssemblyScript(project));
}

/** A component that never answers. */
export async function placeEndless(host: Host): Promise<void> {
  place(host, 'endless.wasm', await componentBytes({ handle: '(loop $again (br $again)) (unreachable)' }));
}

/** A POSIX shell script. */
export function placeScript(host: Host, name: string, body: string): void {
  place(host, name, `#!/bin/sh\n${body}\n`, 0o755);
}

/** An Extism plugin that would like to use a socket. */
export async function placeCaller(host: Host): Promise<void> {
  const imports = '(import "wasi_snapshot_preview1" "sock_accept" (func (param i32 i32 i32) (result i32)))';
  place(host, 'caller.wasm', await moduleBytes(extismWat('{"outcome":"allow"}', { imports })));
}
