import { loadComponent } from '../../src/runner/component.js';
import { loadExtism } from '../../src/runner/extism.js';
import type { Artefact } from '../../src/contract/artefact.js';
import type { Guest } from '../../src/runner/guest.js';
import type { HookCall, HookEvent } from '../../src/contract/event.js';
import type { Limits } from '../../src/contract/limits.js';
import { HandlerFailure } from '../../src/contract/outcome.js';
import { admitPlugin } from '../../src/admission/admit.js';
import { watToComponent, watToModule } from '../../scripts/wat.mjs';
import { eventOf } from './handlers.js';

export const guestLimits: Limits = { deadlineMs: 2_000, fuel: 1_000_000, memoryBytes: 4 * 1024 * 1024 };

export interface GuestOptions {
  readonly settings?: object;
  readonly limits?: Partial<Limits>;
}

const allocator = `
  (global $free (mut i32) (i32.const 4096))
  (func $alloc (param $size i32) (result i32)
    (local $start i32)
    (local.set $start (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $start) (local.get $size)))
    (local.get $start))`;

/** Parts of a component's core module: what it declares besides, and the body of `handle`. */
export interface ComponentSource {
  readonly imports?: string;
  readonly fields?: string;
  /** Gives a pointer to the outcome. Bytes 0 to 63 are zero and free to be written. */
  readonly handle: string;
  readonly world?: 'hook-handler' | 'configurable-hook-handler';
}

/** A component in WAT around the body of `handle`, whose parameter is `$event`. */
export async function componentBytes({ imports = '', fields = '', handle, world }: ComponentSource): Promise<Buffer> {
  const wat = `(module ${imports}
    (memory (export "memory") 2)
    ${allocator}
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (call $alloc (local.get 3)))
    ${fields}
    (func $outcome (param $tag i32) (param $text i32) (param $length i32) (result i32)
      (i32.store8 (i32.const 0) (local.get $tag))
      (i32.store (i32.const 4) (local.get $text))
      (i32.store (i32.const 8) (local.get $length))
      (i32.const 0))
    (func (export "hookvisor:hook/handler@0.1.0#handle") (param $event i32) (result i32) ${handle}))`;
  return Buffer.from(await watToComponent(wat, world ?? 'hook-handler'));
}

/** An Extism module that answers `output`, after running `before`. */
export function extismWat(
  output: string,
  options: { before?: string; fields?: string; imports?: string } = {},
): string {
  const bytes = [...Buffer.from(output)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  return `(module
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
    (import "extism:host/env" "output_set" (func $output (param i64 i64)))
    ${options.imports ?? ''}
    (memory (export "memory") 1)
    (data (i32.const 0) "${bytes}")
    ${options.fields ?? ''}
    (func $to_host (param $from i32) (param $length i32) (result i64)
      (local $block i64) (local $at i32)
      (local.set $block (call $alloc (i64.extend_i32_u (local.get $length))))
      (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (call $store
          (i64.add (local.get $block) (i64.extend_i32_u (local.get $at)))
          (i32.load8_u (i32.add (local.get $from) (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
      (local.get $block))
    (func (export "handle") (result i32)
      ${options.before ?? ''}
      (call $output (call $to_host (i32.const 0) (i32.const ${Buffer.byteLength(output)}))
        (i64.const ${Buffer.byteLength(output)}))
      (i32.const 0)))`;
}

export async function moduleBytes(wat: string): Promise<Buffer> {
  return Buffer.from(await watToModule(wat));
}

/** Admits and loads a plugin in this process. */
export async function loadGuest(
  backend: Artefact['backend'],
  bytes: Buffer,
  { settings = {}, limits = {} }: GuestOptions = {},
): Promise<Guest> {
  const all = { ...guestLimits, ...limits };
  const artefact = await admitPlugin(bytes, { backend, memoryBytes: all.memoryBytes });
  const load = backend === 'component' ? loadComponent : loadExtism;
  return load({ artefact, settings: JSON.stringify(settings), limits: all });
}

export function hookCall(document: string | Buffer | null = null, changes: Partial<HookEvent> = {}): HookCall {
  const event = eventOf({ id: '00000000-0000-4000-8000-000000000001', ...changes });
  return { event, document: typeof document === 'string' ? Buffer.from(document) : document };
}

/** The failure that an evaluation ends in. */
export async function failureFrom(evaluation: Promise<unknown>): Promise<HandlerFailure> {
  const thrown: unknown = await evaluation.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof HandlerFailure) return thrown;
  throw new Error('expected a HandlerFailure', { cause: thrown });
}
