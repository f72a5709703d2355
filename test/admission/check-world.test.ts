import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { examine } from '../../src/admission/vet.js';
import { witWorld } from '../../src/admission/wit-world.js';
import { linkComponent } from '../../src/admission/wasm/component-link.js';
import { readComponent } from '../../src/admission/wasm/component-binary.js';
import { showType } from '../../src/admission/wasm/wit-type.js';
import { bytes, component, componentSections, leb, section, vector } from '../support/component-encoder.js';
import { callsAtStart, composed, composedWat, nested, ownResource, three } from '../support/composed.js';
import { hostileCrowd } from '../support/hostile.js';
import { logsWith, otherWorlds } from '../support/other-worlds.js';
import { moduleBytes } from '../support/plugins.js';

const options = { memoryBytes: 128 * 1024 * 1024 };
const objections = (plugin: Buffer) => examine(plugin, 'component', options).objections;
const messages = (plugin: Buffer) => objections(plugin).map(({ message }) => message);

describe('the world that components are compared with', () => {
  it('has the functions of wit/, in its words', () => {
    const shown = [...witWorld.imports, ...witWorld.exports].flatMap(([name, { functions }]) =>
      [...functions].map(([item, type]) => `${name}#${item}: ${showType(type)}`),
    );
    const event =
      'record { id: string, time: u64, kind: string, name: string, event: string, qualifier: string, ' +
      'extra: option<string>, driver: string, uuid: option<string> }';
    expect(shown).toEqual([
      'hookvisor:hook/document@0.1.0#text: func() -> option<string>',
      'hookvisor:hook/document@0.1.0#select: func(xpath: string) -> result<list<string>, ' +
        'variant { no-document, not-xml(string), bad-xpath(string), too-large }>',
      'hookvisor:hook/settings@0.1.0#json: func() -> string',
      'hookvisor:hook/log@0.1.0#write: func(level: enum { debug, info, warn, error }, message: string)',
      'hookvisor:hook/configurable@0.1.0#validate: func() -> result<_, string>',
      `hookvisor:hook/handler@0.1.0#handle: func(event: ${event}) -> variant { allow, deny(string), replace(string) }`,
    ]);
    expect([...witWorld.required]).toEqual(['hookvisor:hook/handler@0.1.0']);
  });
});

describe('a component of another world', () => {
  it.each(otherWorlds)('is refused by name: $title', async ({ plugin, rule, code, says }) => {
    const [first] = objections(await plugin());
    expect(first).toMatchObject({ rule, code });
    expect(first?.message.slice(0, says.length)).toBe(says);
  });

  it.each([
    ['a type that is not in the interface', 'level', 'size', "'size' is not in the WIT"],
    ['another name of a parameter', 'param "level"', 'param "grade"', "'write' is func(grade: enum {"],
    [
      'another order of parameters',
      '(param "level" $level) (param "message" string)',
      '(param "message" string) (param "level" $level)',
      "'write' is func(message: string, level: enum {",
    ],
    [
      'flags in the place of an enum',
      '(enum ',
      '(flags ',
      "'level' is flags { debug, info, warn, error } instead of enum",
    ],
    [
      'a result where there is none',
      '(param "message" string)',
      '(param "message" string) (result u32)',
      "'write.result' is u32 instead of _",
    ],
  ])('is refused by name: %s', async (_, from, to, says) => {
    const wat = composedWat({
      parts: `(import "hookvisor:hook/log@0.1.0" (instance
        (type $l (enum "debug" "info" "warn" "error"))
        (export "level" (type $level (eq $l)))
        (export "write" (func (param "level" $level) (param "message" string)))))`,
      handle: '(i32.const 64)',
    });
    const at = wat.indexOf('hookvisor:hook/log');
    const changed =
      from === 'level' ? wat.slice(at).replace('(export "level"', `(export "${to}"`) : wat.slice(at).replace(from, to);
    const found = messages(await moduleBytes(wat.slice(0, at) + changed));
    expect(found.join('\n')).toContain(`its interface 'hookvisor:hook/log@0.1.0' has different types: ${says}`);
  });

  it('is refused for the type with which a function leaves a component inside it', async () => {
    const lifted = '(instance $handler (export "handle" (func $lifted)))';
    const wat = composedWat({ handle: '(i32.const 64)' });
    const through = (result: string): string => `
      (component $Shim
        (type $e (record (field "id" string)))
        (import "event" (type $event (eq $e)))
        (import "handle" (func $given (param "event" string) (result string)))
        (export "handle" (func $given) (func (param "event" string) (result ${result}))))
      (instance $handler (instantiate $Shim (with "event" (type $event)) (with "handle" (func $lifted))))`;
    for (const result of ['string', 'u32']) {
      const found = messages(await moduleBytes(wat.replace(lifted, through(result))));
      expect(found[0]).toContain(
        "its interface 'hookvisor:hook/handler@0.1.0' has different types: 'handle.event' is string",
      );
    }
  });

  it('is not written out where its types are endless when they are', () => {
    // Each is a tuple of the one before, twice: 2^60 leaves.
    const depth = 60;
    const tuples = Array.from({ length: depth }, (_, at) =>
      at === 0 ? bytes(0x6f, 2, 0x7d, 0x7d) : bytes(0x6f, 2, leb(at - 1), leb(at - 1)),
    );
    const json = bytes(
      0x42,
      vector([bytes(2, 3, 2, 1, leb(depth - 1)), bytes(1, 0x40, 0, 0, leb(0)), bytes(4, 0, 'json', 1, leb(1))]),
    );
    const plugin = component(
      componentSections.types([...tuples, json]),
      section(10, vector([bytes(0, 'hookvisor:hook/settings@0.1.0', 5, leb(depth))])),
    );
    const [first] = messages(plugin);
    expect(first).toBe(
      "its interface 'hookvisor:hook/settings@0.1.0' has different types: 'json.result' is " +
        `${'tuple<'.repeat(4)}…, …>, tuple<…, …>>, tuple<tuple<…, …>, tuple<…, …>>>, ` +
        'tuple<tuple<tuple<…, …>, tuple<…, …>>, tuple<tuple<…, …>, tuple<…, …>>>> instead of string; ' +
        'build it with the WIT of this release',
    );
  });

  it.each([
    ['an instance type inside an instance type, doubled 60 times', 60],
    ['an instance type inside an instance type, ten', 10],
  ])('ends within its bounds: %s', (_, depth) => {
    const types = Array.from({ length: depth }, (__, at) =>
      at === 0
        ? bytes(0x42, leb(0))
        : bytes(0x42, vector([bytes(2, 3, 2, 1, leb(at - 1)), bytes(4, 0, 'a', 5, 0), bytes(4, 0, 'b', 5, 0)])),
    );
    const plugin = component(
      componentSections.types(types),
      section(10, vector([bytes(0, 'hookvisor:hook/settings@0.1.0', 5, leb(depth - 1))])),
    );
    expect(messages(plugin)[0]).toMatch(
      depth > 16
        ? /^it nests instances deeper than 16|^it has \d+ definitions in all of its instances/u
        : /^it imports the instance 'a' of 'hookvisor:hook\/settings@0\.1\.0'; that interface has the functions json/u,
    );
  });

  it.each([
    ['a type by an index that is not there', componentSections.types([bytes(0x70, leb(7))])],
    ['a type by a negative number', componentSections.types([bytes(0x70, 0x41)])],
    ['a type by a negative number of two bytes', componentSections.types([bytes(0x70, 0xff, 0x7f)])],
    ['an option that is neither there nor not', componentSections.types([bytes(0x6a, 2, 0x7d, 0)])],
    ['a function of several results', componentSections.types([bytes(0x40, 0, 1, 1, 'a', 0x7d)])],
    ['a bound of an unknown form', section(10, vector([bytes(0, 'a', 3, 7)]))],
    ['an alias out of all components', section(6, vector([bytes(3, 2, 5, 0)]))],
    ['bytes behind a section', section(7, bytes(1, 0x70, 0x7d, 0))],
  ])('is refused where it cannot be understood: %s', (_, body) => {
    expect(objections(component(body))[0]).toMatchObject({ rule: 'format', code: 'plugin-invalid' });
  });
});

describe('a component of the world', () => {
  it('may import any part of it, by hand or from any tool', async () => {
    const plugins = await Promise.all([
      composed({ handle: '(i32.const 64)' }),
      composed({ ...nested, handle: '(i32.const 64)' }),
      composed({ ...three, handle: '(i32.const 64)' }),
      composed({ ...ownResource(true), handle: '(i32.const 64)' }),
      composed(callsAtStart),
      logsWith('"debug" "info" "warn" "error"'),
      hostileCrowd('component').then(({ bytes: crowd }) => crowd),
    ]);
    for (const plugin of plugins) expect(objections(plugin)).toEqual([]);
    const built = readdirSync(join(packageRoot, 'plugins'))
      .map((name) => join(packageRoot, 'plugins', name, 'build', `${name}.wasm`))
      .flatMap((file) => {
        try {
          return [readFileSync(file)];
        } catch {
          return [];
        }
      })
      .filter((plugin) => plugin[6] === 1);
    expect(built.length).toBeGreaterThan(5);
    for (const plugin of built) expect(objections(plugin)).toEqual([]);
  });

  it('is followed to where its functions are lifted, through the component that wraps them', () => {
    const plugin = readFileSync(join(packageRoot, 'plugins', 'tiny-allow', 'build', 'tiny-allow.wasm'));
    const handler = linkComponent(readComponent(plugin)).exports.get('hookvisor:hook/handler@0.1.0');
    const handle = handler?.sort === 'instance' ? handler.exports.get('handle') : undefined;
    // Lifted, given to the wrapping component, and exported by that.
    expect(handle?.sort === 'function' && handle.types.map((type) => showType(type))).toEqual(
      Array.from({ length: 3 }, () =>
        showType(witWorld.exports.get('hookvisor:hook/handler@0.1.0')?.functions.get('handle') ?? null),
      ),
    );
  });
});
