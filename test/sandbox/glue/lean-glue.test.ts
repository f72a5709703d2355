import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPlan } from '../../../src/backends/component-plan.js';
import { packageRoot } from '../../../src/paths.js';
import { admitPlugin } from '../../../src/sandbox/admission/admit.js';
import { leanGlue } from '../../../src/sandbox/glue/lean-glue.js';
import { transpileComponent } from '../../../src/sandbox/glue/transpile.js';
import { detectBackend } from '../../../src/sandbox/admission/vet.js';
import { composed } from '../../support/composed.js';
import { guestsIn, hostileCrowd, lonelyGuest } from '../../support/hostile.js';
import { componentBytes, guestLimits, hookCall, loadGuest } from '../../support/plugins.js';

/** Null when a component takes the lean form, else what is in the way. */
async function inTheWay(bytes: Buffer): Promise<string | null> {
  const lean = leanGlue((await transpileComponent(bytes)).glue);
  return 'unexpected' in lean ? lean.unexpected : null;
}

describe('leanGlue', () => {
  let glue = '';
  beforeAll(async () => {
    const allocator = '(global $other (mut i32) (i32.const 0))';
    const imports = `(import "hookvisor:hook/settings@0.1.0" "json" (func $json (param i32)))
      (import "hookvisor:hook/document@0.1.0" "select" (func $select (param i32 i32 i32)))`;
    ({ glue } = await transpileComponent(
      await componentBytes({ imports, fields: allocator, handle: '(call $json (i32.const 16)) (i32.const 0)' }),
    ));
  }, 60_000);

  it('knows the glue of every hostile component', async () => {
    const guests = [...guestsIn('both/alone'), ...guestsIn('component/alone')];
    const found = [['crowd', await inTheWay((await hostileCrowd('component')).bytes)]];
    for (const guest of guests) found.push([guest, await inTheWay(await lonelyGuest('component', guest))]);
    expect(found.filter(([, reason]) => reason !== null)).toEqual([]);
    expect(found.length).toBeGreaterThan(20);
  }, 120_000);

  it('knows the glue of every sample plugin that is a component', async () => {
    const files = readdirSync(join(packageRoot, 'plugins'))
      .map((name) => join(packageRoot, 'plugins', name, 'build', `${name}.wasm`))
      .filter((file) => existsSync(file) && detectBackend(readFileSync(file)) === 'component');
    const found: [string, string | null][] = [];
    for (const file of files) found.push([file, await inTheWay(readFileSync(file))]);
    expect(found.filter(([, reason]) => reason !== null)).toEqual([]);
    expect(found.length).toBeGreaterThan(5);
  }, 120_000);

  it('gives core modules, what each imports, and where the functions of the world are', () => {
    const lean = leanGlue(glue);
    if (!('plan' in lean)) throw new Error(lean.unexpected);
    expect(lean.plan.steps.map(({ module }) => module)).toEqual([
      'plugin.core2.wasm',
      'plugin.core.wasm',
      'plugin.core3.wasm',
    ]);
    expect(lean.plan.steps[1]?.imports).toContainEqual([
      'hookvisor:hook/settings@0.1.0',
      [['json', { is: 'export', ref: [0, expect.any(String)] }]],
    ]);
    expect(lean.plan.handle).toEqual({
      instance: 0,
      core: [1, 'hookvisor:hook/handler@0.1.0#handle'],
      memory: [1, 'memory'],
      realloc: [1, 'cabi_realloc'],
      postReturn: null,
    });
    expect(readPlan(JSON.stringify(lean.plan))).toEqual(lean.plan);
  });

  it.each([
    ['another frame', 'let gen= (function*', 'let gen = (function*', 'its frame'],
    [
      'two frames',
      '})();\n  let promise',
      '})();\n  let promise, resolve, reject;\n\n  })();\n  let promise',
      'its frame',
    ],
    [
      'another statement',
      '    memory0 = exports1.memory;',
      '    globalThis.x = exports1.memory;',
      'the statement "globalThis.x',
    ],
    ['a core instance out of turn', 'exports: exports0 }', 'exports: exports7 }', 'the order of instances'],
    ['an import of an unknown kind', 'exports0.$imports', 'globalThis', 'the import "$imports: globalThis'],
    ['a name in other quotes', "json: Object.assign(exports0['", 'json: Object.assign(exports0["', 'the import "json'],
    ['a name with an escape', "      'hookvisor:hook/settings@0.1.0': {", "      'hook\\'s': {", 'the imports "\'hook'],
    ['the name of a prototype', '        json: Object', '        __proto__: Object', "the name '__proto__'"],
    [
      'another call of the plugin',
      'handler010Handle(ptr0)',
      'handler010Handle(ptr0, ptr0)',
      "the function 'handle' of shape ",
    ],
    [
      'another encoding of text',
      "0,\n      stringEncoding: 'utf8'",
      "0,\n      stringEncoding: 'utf16'",
      "lowered' of shape ",
    ],
    ['a mix of memories', 'dataView(memory0).setUint32(arg0', 'dataView(memory1).setUint32(arg0', "' of shape "],
    [
      'a variable that stands for nothing',
      'memory0 = exports1.memory;',
      'memory1 = exports1.memory;',
      "'memory0' stands",
    ],
  ])('does not read %s', (_, from, to, reason) => {
    const changed = glue.replace(from, to);
    expect(changed).not.toBe(glue);
    expect(leanGlue(changed)).toEqual({ unexpected: expect.stringContaining(reason) as string });
  });

  it('takes time in proportion to the glue, whatever the component lowers', async () => {
    const many = Array.from({ length: 900 }, (_, at) => at);
    const all = (of: (at: number) => string): string => many.map(of).join('\n');
    const bytes = await composed({
      parts: `
        (core module $rooms ${all((at) => `(func (export "${at}") (param i32 i32 i32 i32) (result i32) unreachable)`)})
        (core instance $rooms (instantiate $rooms))
        ${all((at) => `(core func $ask${at} (canon lower (func $json) (memory $memory) (realloc (func $rooms "${at}"))))`)}`,
      calls: many.map((at) => [`ask${at}`, '(param i32)']),
      handle: '(i32.const 64)',
    });
    const { glue: large } = await transpileComponent(bytes);
    const began = performance.now();
    expect(leanGlue(large)).toHaveProperty('plan');
    // Looking for each through all that follows takes eight seconds.
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(large.length).toBeGreaterThan(3_000_000);
  }, 60_000);

  it.each([
    [
      'text in another encoding',
      `(core func $other (canon lower (func $json) (memory $memory) (realloc $realloc) string-encoding=utf16))
        (core module $asks (import "" "ask" (func (param i32))))
        (core instance $asks (instantiate $asks (with "" (instance (export "ask" (func $other))))))`,
      "the function 'json' of shape ",
    ],
    ...['aaa:bbb/handler@0.1.0', 'handler', 'zzz:bbb/handler'].map((name) => [
      `an interface '${name}' besides`,
      `(core module $allows (func (export "handle") (param i32) (result i32) (i32.const 64)))
        (core instance $allows (instantiate $allows))
        (func $allow (param "event" $event) (result $outcome)
          (canon lift (core func $allows "handle") (memory $memory) (realloc $realloc)))
        (instance $twin (export "handle" (func $allow)))
        (export "${name}" (instance $twin))`,
      '',
    ]),
  ])('leaves to jco what it does not know, and that does the same: %s', async (_, parts, reason) => {
    const bytes = await composed({ parts, handle: '(call $say (i32.const 7))' });
    expect(await inTheWay(bytes)).toContain(reason);
    const { outcome } = await (await loadGuest('component', bytes)).evaluate(hookCall());
    expect(outcome).toEqual({ outcome: 'deny', reason: '0000000007' });
  });

  it('leaves no JavaScript in an artefact', async () => {
    const artefact = await admitPlugin(await componentBytes({ handle: '(i32.const 0)' }), {
      backend: 'component',
      memoryBytes: guestLimits.memoryBytes,
    });
    expect(JSON.parse(artefact.glue)).toMatchObject({ steps: [{ module: 'plugin.core.wasm' }], validate: null });
  });
});
