import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Artefact } from '../../src/contract/artefact.js';
import { packageRoot } from '../../src/shared/paths.js';
import { watToComponent, watToModule } from '../../scripts/wat.mjs';

type Backend = Artefact['backend'];

const folder = join(packageRoot, 'test', 'fixtures', 'hostile');

/** A plugin of several hostile guests; the event's id says which of them acts. */
export interface HostileCrowd {
  readonly bytes: Buffer;
  /** The id of the event that wakes a guest. */
  idOf(guest: string): string;
}

/** All guests of `both/` and of the backend's own folder in one plugin, so that they are admitted once. */
export async function hostileCrowd(backend: Backend): Promise<HostileCrowd> {
  const guests = [...sourcesOf('both'), ...sourcesOf(backend)];
  const names = guests.map(({ name }) => name);
  const bytes = await assemble(backend, [...guests.map(({ wat }) => wat), dispatcher(backend, names)].join('\n'));
  return {
    bytes,
    idOf: (guest) => {
      const at = names.indexOf(guest);
      if (at < 0) throw new Error(`there is no hostile guest '${guest}' for ${backend}`);
      return String(at).padStart(3, '0');
    },
  };
}

/** A guest that needs a plugin of its own: it does something before or after `handle`. */
export async function lonelyGuest(backend: Backend, guest: string): Promise<Buffer> {
  const source = [...sourcesOf('both/alone'), ...sourcesOf(`${backend}/alone`)].find(({ name }) => name === guest);
  if (source === undefined) throw new Error(`there is no hostile guest '${guest}' for ${backend}`);
  return assemble(backend, source.wat);
}

/** Adds what every plugin needs to WAT fields, unless they bring it themselves, or are a whole component. */
export async function assemble(backend: Backend, fields: string): Promise<Buffer> {
  if (/^\(component$/mu.test(fields)) return Buffer.from(await watToModule(fields));
  const handle = /export "(hookvisor:hook.handler@0.1.0#)?handle"/u.test(fields) ? '' : allowing[backend];
  const wat = (rest: string): string => `(module ${read(`${backend}.wat`)}\n${fields}\n${rest}\n${handle})`;
  if (backend === 'extism') return Buffer.from(await watToModule(wat('')));
  const world = fields.includes('#validate"') ? 'configurable-hook-handler' : 'hook-handler';
  return Buffer.from(await watToComponent(wat(fields.includes('"cabi_realloc"') ? '' : realloc), world));
}

/** The names of the guests in a folder of `test/fixtures/hostile`. */
export function guestsIn(part: string): string[] {
  return sourcesOf(part).map(({ name }) => name);
}

const realloc = '(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (call $alloc (local.get 3)))';

const allowing: Record<Backend, string> = {
  component: '(func (export "hookvisor:hook/handler@0.1.0#handle") (param i32) (result i32) (i32.const 0))',
  extism: '(func (export "handle") (result i32) (call $allow) (i32.const 0))',
};

/** Wakes the guest of the given number, then answers what it left. */
const waking: Record<Backend, string> = {
  component: `(func (export "hookvisor:hook/handler@0.1.0#handle") (param i32) (result i32)
    (call $wake (call $number (local.get 0)))
    (global.get $answer))`,
  extism: `(func (export "handle") (result i32)
    (call $wake (call $number))
    (if (i32.eqz (global.get $answered)) (then (call $allow)))
    (global.get $status))`,
};

function dispatcher(backend: Backend, names: readonly string[]): string {
  const [first = ''] = names;
  const targets = names.map((name) => `$to-${name}`);
  const blocks = names.reduce(
    (inner, name) => `(block $to-${name} ${inner})\n(call $${name}) (return)`,
    `(br_table ${targets.join(' ')} $to-${first} (local.get 0))`,
  );
  return `(func $wake (param i32) ${blocks})\n${waking[backend]}`;
}

function sourcesOf(part: string): { name: string; wat: string }[] {
  return readdirSync(join(folder, part))
    .filter((file) => file.endsWith('.wat'))
    .sort()
    .map((file) => ({ name: file.slice(0, -'.wat'.length), wat: read(join(part, file)) }));
}

function read(file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}
