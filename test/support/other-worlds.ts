import { composedWat } from './composed.js';
import { moduleBytes } from './plugins.js';

/** A component that denies, in which `from` was replaced by `to`, in a world that is not quite that of the WIT. */
async function changed(from: string, to: string, parts = ''): Promise<Buffer> {
  const wat = composedWat({ parts, handle: '(call $say (i32.const 7))' });
  if (!wat.includes(from)) throw new Error(`there is no '${from}' in the component`);
  return moduleBytes(wat.replace(from, to));
}

const lifted = '(instance $handler (export "handle" (func $lifted)))';
const settings = '(export "json" (func (result string)))';
const outcome = '(variant (case "allow") (case "deny" string) (case "replace" string))';

/** Imports the interface `log` with such an enum, and calls it. */
const logging = (level: string): string => `
  (import "hookvisor:hook/log@0.1.0" (instance $log
    (type $l (enum ${level}))
    (export "level" (type $level (eq $l)))
    (export "write" (func (param "level" $level) (param "message" string)))))
  (alias export $log "write" (func $write))
  (core func $write (canon lower (func $write) (memory $memory)))`;

/** A component that writes a message of the last level of such an enum. */
export async function logsWith(level: string): Promise<Buffer> {
  const last = level.trim().split(/\s+/u).length - 1;
  const handle = `(call $write (i32.const ${last}) (i32.const 200) (i32.const 5)) (i32.const 64)`;
  const calls = [['write', '(param i32 i32 i32)']] as const;
  return moduleBytes(composedWat({ parts: logging(level), calls, handle }));
}

/** Calls the function `constructor` of an interface of ours before it answers. */
async function callsConstructor(): Promise<Buffer> {
  const wat = composedWat({
    parts: '(alias export $settings "constructor" (func $c)) (core func $call (canon lower (func $c)))',
    calls: [['call', '(result i32)']],
    handle: '(call $say (call $call))',
  });
  return moduleBytes(wat.replace(settings, `${settings} (export "constructor" (func (result u32)))`));
}

const instead = (encoding: string, handle = false): Promise<Buffer> =>
  handle
    ? changed('(canon lift (core func $handle)', `(canon lift (core func $handle) string-encoding=${encoding}`)
    : changed(
        lifted,
        lifted,
        `(core func (canon lower (func $json) (memory $memory) (realloc $realloc) string-encoding=${encoding}))`,
      );

/** Passes text to a component inside it, from one encoding to another. */
export async function passesText(inner: string, outer: string): Promise<Buffer> {
  const memory = (encoding: string): string => `(memory $memory) (realloc $realloc) string-encoding=${encoding}`;
  const parts = `
    (component $Child
      (core module $child
        (memory (export "memory") 2)
        (global $free (mut i32) (i32.const 1024))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
          (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 7)) (i32.const -8)))
          (i32.sub (global.get $free) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8))))
        (func (export "echo") (param i32 i32) (result i32)
          (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1)) (i32.const 0)))
      (core instance $child (instantiate $child))
      (alias core export $child "memory" (core memory $memory))
      (alias core export $child "cabi_realloc" (core func $realloc))
      (func (export "echo") (param "text" string) (result string)
        (canon lift (core func $child "echo") ${memory(inner)})))
    (instance $child (instantiate $Child))
    (core func $echo (canon lower (func $child "echo") ${memory(outer)}))`;
  const handle = `(call $echo (i32.const 200) (i32.const 9) (i32.const 128)) (i32.store8 (i32.const 0) (i32.const 1))
    (i32.store (i32.const 4) (i32.load (i32.const 128))) (i32.store (i32.const 8) (i32.load (i32.const 132)))
    (i32.const 0)`;
  return moduleBytes(composedWat({ parts, calls: [['echo', '(param i32 i32 i32)']], handle }));
}

/** A component of a world that is nearly that of the WIT, and what is said of it. */
export interface OtherWorld {
  readonly title: string;
  readonly plugin: () => Promise<Buffer>;
  readonly rule: 'import' | 'types' | 'world' | 'feature';
  readonly code: 'plugin-refused' | 'plugin-invalid';
  readonly says: string;
}

const wit = (name: string): string => `'hookvisor:hook/${name}@0.1.0'`;
const rebuild = 'build it with the WIT of this release';

export const otherWorlds: readonly OtherWorld[] = [
  {
    title: 'a function imported from the interface of types',
    plugin: () =>
      changed(
        '(export "outcome" (type (eq $outcome)))',
        '(export "outcome" (type (eq $outcome))) (export "now" (func (result u64)))',
      ),
    rule: 'import',
    code: 'plugin-refused',
    says: `it imports the function 'now' of ${wit('types')}; that interface has types only`,
  },
  {
    title: "an import named 'constructor'",
    plugin: callsConstructor,
    rule: 'import',
    code: 'plugin-refused',
    says: `it imports the function 'constructor' of ${wit('settings')}; that interface has the functions json`,
  },
  {
    title: 'a level with one case more',
    plugin: () => logsWith('"debug" "info" "warn" "error" "fatal"'),
    rule: 'types',
    code: 'plugin-invalid',
    says:
      `its interface ${wit('log')} has different types: 'level' is enum { debug, info, warn, error, fatal } instead of ` +
      `enum { debug, info, warn, error }; ${rebuild}`,
  },
  {
    title: 'levels in another order',
    plugin: () => logsWith('"info" "debug" "warn" "error"'),
    rule: 'types',
    code: 'plugin-invalid',
    says: `its interface ${wit('log')} has different types: 'level' is enum { info, debug, warn, error } instead of`,
  },
  {
    title: 'an outcome that is a record',
    plugin: () => changed(outcome, '(record (field "tag" string) (field "val" string))'),
    rule: 'types',
    code: 'plugin-invalid',
    says:
      `its interface ${wit('types')} has different types: 'outcome' is record { tag: string, val: string } instead of ` +
      `variant { allow, deny(string), replace(string) }; ${rebuild}`,
  },
  {
    title: "a handler without 'handle'",
    plugin: () => changed(lifted, '(instance $handler)'),
    rule: 'world',
    code: 'plugin-invalid',
    says: `its export ${wit('handler')} has no function 'handle'; ${rebuild}`,
  },
  {
    title: "a handler that has 'handle' and more",
    plugin: () =>
      changed(lifted, '(instance $handler (export "handle" (func $lifted)) (export "decide" (func $lifted)))'),
    rule: 'world',
    code: 'plugin-invalid',
    says: `its export ${wit('handler')} has the function 'decide', which is not in the WIT; ${rebuild}`,
  },
  {
    title: 'a check of the settings with another answer',
    plugin: () =>
      changed(
        lifted,
        `${lifted} (instance $checks (export "validate" (func $lifted)))
         (export "hookvisor:hook/configurable@0.1.0" (instance $checks))`,
      ),
    rule: 'types',
    code: 'plugin-invalid',
    says: `its interface ${wit('configurable')} has different types: 'validate' is func(event: record {`,
  },
  {
    title: 'text in Latin-1 from the host',
    plugin: () => instead('latin1+utf16'),
    rule: 'feature',
    code: 'plugin-refused',
    says: 'it passes strings as latin1+utf16; build it with string-encoding=utf8, or string-encoding=utf16',
  },
  {
    title: 'text in Latin-1 to the host',
    plugin: () => instead('latin1+utf16', true),
    rule: 'feature',
    code: 'plugin-refused',
    says: 'it passes strings as latin1+utf16; build it with string-encoding=utf8, or string-encoding=utf16',
  },
  ...[
    ['utf8', 'utf16'],
    ['utf16', 'utf8'],
    ['utf16', 'utf16'],
  ].map(([inner = '', outer = '']) => ({
    title: `text from one component inside it in ${outer} to another in ${inner}`,
    plugin: () => passesText(inner, outer),
    rule: 'feature' as const,
    code: 'plugin-refused' as const,
    says:
      'it passes strings as utf16 from one component inside it to another; ' +
      'build all of them with string-encoding=utf8',
  })),
];
