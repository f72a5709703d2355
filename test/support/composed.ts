import { moduleBytes } from './plugins.js';

/** What every whole component in WAT starts from: the world's types and functions. */
const world = `
  (import "hookvisor:hook/types@0.1.0" (instance $types
    (type $event (record
      (field "id" string) (field "time" u64) (field "kind" string) (field "name" string) (field "event" string)
      (field "qualifier" string) (field "extra" (option string)) (field "driver" string) (field "uuid" (option string))))
    (export "event" (type (eq $event)))
    (type $outcome (variant (case "allow") (case "deny" string) (case "replace" string)))
    (export "outcome" (type (eq $outcome)))))
  (alias export $types "event" (type $event))
  (alias export $types "outcome" (type $outcome))
  (import "hookvisor:hook/settings@0.1.0" (instance $settings (export "json" (func (result string)))))
  (alias export $settings "json" (func $json))`;

/** A memory of its own with an allocator, for a component. `calls` stands in the allocator. */
const libc = (imports = '', calls = '', given = ''): string => `
  (core module $libc ${imports}
    (memory (export "memory") 2)
    (global $free (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $start i32)
      ${calls}
      (local.set $start (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
      ;; Begins anew where its memory ends.
      (if (i32.gt_u (i32.add (local.get $start) (local.get 3)) (i32.const 131072))
        (then (local.set $start (i32.const 4096))))
      (global.set $free (i32.add (local.get $start) (local.get 3)))
      (local.get $start)))
  (core instance $libc (instantiate $libc ${given}))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "cabi_realloc" (core func $realloc))`;

export interface ComposedSource {
  /** What stands before the core module that decides: other components, and core functions to call. */
  readonly parts?: string;
  /** The core functions that it calls, by their names and types: `["make", "(param i32) (result i32)"]`. */
  readonly calls?: readonly (readonly [string, string])[];
  /** Gives a pointer to the outcome. Bytes 0 to 15 and 64 to 127 are zero; `$i` and `$j` are locals. */
  readonly handle: string;
  readonly fields?: string;
  /** Whether `parts` brings `$memory` and `$realloc` itself. */
  readonly ownMemory?: boolean;
}

/**
 * A component in WAT whose `handle` may call what other components in it export. `$say` denies with a number as ten
 * digits.
 */
export async function composed(source: ComposedSource): Promise<Buffer> {
  return moduleBytes(composedWat(source));
}

/** The text of {@link composed}. */
export function composedWat({
  parts = '',
  calls = [],
  handle,
  fields = '',
  ownMemory = false,
}: ComposedSource): string {
  return `(component ${world} ${ownMemory ? '' : libc()} ${parts}
    (core module $decide
      (import "libc" "memory" (memory 1))
      ${calls.map(([name, type]) => `(import "calls" "${name}" (func $${name} ${type}))`).join('\n')}
      (data (i32.const 200) "hello \\c3\\a9!")
      ${fields}
      (func $say (param $number i32) (result i32)
        (local $at i32)
        (i32.store8 (i32.const 0) (i32.const 1))
        (local.set $at (i32.const 170))
        (loop $digit
          (local.set $at (i32.sub (local.get $at) (i32.const 1)))
          (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
          (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
          (br_if $digit (i32.gt_u (local.get $at) (i32.const 160))))
        (i32.store (i32.const 4) (i32.const 160))
        (i32.store (i32.const 8) (i32.const 10))
        (i32.const 0))
      (func (export "handle") (param $event i32) (result i32) (local $i i32) (local $j i32) ${handle}))
    (core instance $decide (instantiate $decide
      (with "libc" (instance (export "memory" (memory $memory))))
      (with "calls" (instance ${calls.map(([name]) => `(export "${name}" (func $${name}))`).join(' ')}))))
    (alias core export $decide "handle" (core func $handle))
    (func $lifted (param "event" $event) (result $outcome)
      (canon lift (core func $handle) (memory $memory) (realloc $realloc)))
    (instance $handler (export "handle" (func $lifted)))
    (export "hookvisor:hook/handler@0.1.0" (instance $handler)))`;
}

const number = '(param i32) (result i32)';

/** A resource of the plugin's own, which it makes, looks at and drops itself. */
export const ownResource = (destructor: boolean): Pick<ComposedSource, 'parts' | 'calls'> => ({
  parts: `
    (core module $destroys (func (export "destroy") (param i32)))
    (core instance $destroys (instantiate $destroys))
    (alias core export $destroys "destroy" (core func $destroy))
    (type $r (resource (rep i32) ${destructor ? '(dtor (func $destroy))' : ''}))
    (core func $new (canon resource.new $r))
    (core func $rep (canon resource.rep $r))
    (core func $drop (canon resource.drop $r))`,
  calls: [
    ['new', number],
    ['rep', number],
    ['drop', '(param i32)'],
  ],
});

/** A component inside that takes and gives text, lists and a resource that it makes; and what to call of it. */
export const nested: Pick<ComposedSource, 'parts' | 'calls'> = {
  parts: `
    (component $Child
      ${libc()}
      (type $r' (resource (rep i32)))
      (export $r "r" (type $r'))
      (core func $new (canon resource.new $r))
      (core func $rep (canon resource.rep $r))
      (core func $drop (canon resource.drop $r))
      (core module $child
        (import "libc" "memory" (memory 1))
        (import "r" "new" (func $new ${number}))
        (import "r" "rep" (func $rep ${number}))
        (import "r" "drop" (func $drop (param i32)))
        (func (export "echo") (param i32 i32) (result i32)
          (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1)) (i32.const 0))
        (func (export "count") (param i32 i32) (result i32)
          (i32.add (i32.load offset=4 (local.get 0)) (i32.load8_s offset=1 (local.get 0))))
        (func (export "make") ${number} (call $new (local.get 0)))
        (func (export "look") ${number} (local.get 0))
        (func (export "take") ${number}
          (local $found i32)
          (local.set $found (call $rep (local.get 0)))
          (call $drop (local.get 0))
          (local.get $found))
        (func (export "two") (param i32 i32) (result i32)
          (i32.add (i32.mul (i32.const 10) (local.get 0)) (call $rep (local.get 1)))))
      (core instance $child (instantiate $child
        (with "libc" (instance (export "memory" (memory $memory))))
        (with "r" (instance (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
      (type $item' (record
        (field "a" u8) (field "b" s8) (field "c" u16) (field "d" u32) (field "e" s16) (field "f" u64)
        (field "g" float32) (field "h" float64)))
      (export $item "item" (type $item'))
      (func (export "echo") (param "text" string) (result string)
        (canon lift (core func $child "echo") (memory $memory) (realloc $realloc)))
      (func (export "count") (param "items" (list $item)) (result u32)
        (canon lift (core func $child "count") (memory $memory) (realloc $realloc)))
      (func (export "make") (param "x" u32) (result (own $r)) (canon lift (core func $child "make")))
      (func (export "look") (param "x" (borrow $r)) (result u32) (canon lift (core func $child "look")))
      (func (export "take") (param "x" (own $r)) (result u32) (canon lift (core func $child "take")))
      (func (export "two") (param "x" (borrow $r)) (param "y" (own $r)) (result u32)
        (canon lift (core func $child "two"))))
    (instance $child (instantiate $Child))
    (alias export $child "r" (type $r))
    (core func $echo (canon lower (func $child "echo") (memory $memory) (realloc $realloc)))
    (core func $count (canon lower (func $child "count") (memory $memory) (realloc $realloc)))
    (core func $make (canon lower (func $child "make")))
    (core func $look (canon lower (func $child "look")))
    (core func $take (canon lower (func $child "take")))
    (core func $two (canon lower (func $child "two")))
    (core func $drop (canon resource.drop $r))`,
  calls: [
    ['echo', '(param i32 i32 i32)'],
    ['count', '(param i32 i32) (result i32)'],
    ['make', number],
    ['look', number],
    ['take', number],
    ['two', '(param i32 i32) (result i32)'],
    ['drop', '(param i32)'],
  ],
};

/** One component makes resources, another is given them: `keep` drops its own, `steal` gives what it was lent. */
export const three: Pick<ComposedSource, 'parts' | 'calls'> = {
  parts: `
    (component $Maker
      (type $r' (resource (rep i32)))
      (export $r "r" (type $r'))
      (core func $new (canon resource.new $r))
      (core module $maker
        (import "r" "new" (func $new ${number}))
        (func (export "make") ${number} (call $new (local.get 0))))
      (core instance $maker (instantiate $maker (with "r" (instance (export "new" (func $new))))))
      (func (export "make") (param "x" u32) (result (own $r)) (canon lift (core func $maker "make"))))
    (instance $maker (instantiate $Maker))
    (alias export $maker "r" (type $r))
    (component $User
      (import "r" (type $r (sub resource)))
      (core func $drop (canon resource.drop $r))
      (core module $user
        (import "r" "drop" (func $drop (param i32)))
        (func (export "same") ${number} (local.get 0))
        (func (export "dropped") ${number} (call $drop (local.get 0)) (local.get 0)))
      (core instance $user (instantiate $user (with "r" (instance (export "drop" (func $drop))))))
      (func (export "keep") (param "x" (own $r)) (result u32) (canon lift (core func $user "dropped")))
      (func (export "see") (param "x" (borrow $r)) (result u32) (canon lift (core func $user "dropped")))
      (func (export "steal") (param "x" (borrow $r)) (result (own $r)) (canon lift (core func $user "same")))
      (func (export "leak") (param "x" (borrow $r)) (result u32) (canon lift (core func $user "same"))))
    (instance $user (instantiate $User (with "r" (type $r))))
    (core func $make (canon lower (func $maker "make")))
    (core func $keep (canon lower (func $user "keep")))
    (core func $see (canon lower (func $user "see")))
    (core func $steal (canon lower (func $user "steal")))
    (core func $leak (canon lower (func $user "leak")))
    (core func $drop (canon resource.drop $r))`,
  calls: [...['make', 'keep', 'see', 'steal', 'leak'].map((name) => [name, number] as const), ['drop', '(param i32)']],
};

/** A component inside whose `one` gives 1, to be called as `$one`. */
const one = `
  (component $One
    (core module $one (func (export "one") (result i32) (i32.const 1)))
    (core instance $one (instantiate $one))
    (func (export "one") (result u32) (canon lift (core func $one "one"))))
  (instance $one (instantiate $One))
  (core func $one (canon lower (func $one "one")))`;

/** While it is asked for room for the event, it calls another component, or makes a resource. */
export const callsWhileAsked = (what: 'another' | 'a resource'): ComposedSource => {
  const [parts = '', type, call] =
    what === 'another'
      ? [one, '(result i32)', '(call $wanted)']
      : [ownResource(true).parts, number, '(call $wanted (i32.const 1))'];
  const named = what === 'another' ? '$one' : '$new';
  const room = libc(
    `(import "calls" "wanted" (func $wanted ${type}))`,
    `(drop ${call})`,
    `(with "calls" (instance (export "wanted" (func ${named}))))`,
  );
  return { ownMemory: true, parts: `${parts} ${room}`, handle: '(i32.const 64)' };
};

/** Calls another component before there is an event. */
export const callsAtStart: ComposedSource = {
  parts: one,
  calls: [['one', '(result i32)']],
  fields: '(func $begin (drop (call $one))) (start $begin)',
  handle: '(call $say (call $one))',
};

/** Asks the host before there is an event. */
export const asksAtStart: ComposedSource = {
  parts: '(core func $ask (canon lower (func $json) (memory $memory) (realloc $realloc)))',
  calls: [['ask', '(param i32)']],
  fields: '(func $begin (call $ask (i32.const 128))) (start $begin)',
  handle: `(i32.store8 (i32.const 0) (i32.const 1))
    (i32.store (i32.const 4) (i32.load (i32.const 128))) (i32.store (i32.const 8) (i32.load (i32.const 132)))
    (i32.const 0)`,
};

/** Is entered again while it is inside its own call: by a function of its own, or by another component that it calls. */
export const reenters = (way: 'itself' | 'through another'): ComposedSource => {
  const own = `
    (core module $own (func (export "own") (result i32) (i32.const 5)))
    (core instance $own (instantiate $own))
    (func $own (result u32) (canon lift (core func $own "own")))`;
  const calls = [['again', '(result i32)']] as const;
  const handle = '(call $say (call $again))';
  if (way === 'itself') return { parts: `${own} (core func $again (canon lower (func $own)))`, calls, handle };
  const parts = `${own}
    (component $Between
      (import "own" (func $own (result u32)))
      (core func $own (canon lower (func $own)))
      (core module $between
        (import "calls" "own" (func $own (result i32)))
        (func (export "again") (result i32) (call $own)))
      (core instance $between (instantiate $between (with "calls" (instance (export "own" (func $own))))))
      (func (export "again") (result u32) (canon lift (core func $between "again"))))
    (instance $between (instantiate $Between (with "own" (func $own))))
    (core func $again (canon lower (func $between "again")))`;
  return { parts, calls, handle };
};

/** Imports, from modules and by fields of one name, what others export by it; all objects of JavaScript have it. */
export const bornNames = (name: string): ComposedSource => ({
  parts: `
    (core module $seven (func (export "${name}") (result i32) (i32.const 7)))
    (core instance $seven (instantiate $seven))
    (core module $between
      (import "${name}" "${name}" (func $seven (result i32)))
      (func (export "${name}") (result i32) (call $seven)))
    (core instance $between (instantiate $between (with "${name}" (instance $seven))))
    (alias core export $between "${name}" (core func $born))`,
  calls: [['born', '(result i32)']],
  handle: '(call $say (call $born))',
});
