import { describe, expect, it } from 'vitest';
import type { Artefact } from '../../src/contract/artefact.js';
import { plannedComponent } from '../../src/runner/component-instance.js';
import { hardenModule } from '../../src/admission/fuel/harden.js';
import { lendMemory } from '../../src/admission/fuel/lend-memory.js';
import { moduleName, planOf } from '../../src/admission/translation/plan.js';
import { translateComponent } from '../../src/admission/translation/translator.js';
import { createLauncher } from '../../src/runtime/isolation/launcher.js';
import { encodeArtefact } from '../../src/contract/artefact-codec.js';
import type { RunnerReply, RunnerRequest } from '../../src/contract/messages.js';
import { startRunner } from '../../src/runtime/supervision/runner.js';
import { composed, composedWat } from '../support/composed.js';
import { logsWith, otherWorlds } from '../support/other-worlds.js';
import { guestLimits, hookCall, loadGuest, moduleBytes } from '../support/plugins.js';

/** A component as admission would give it to a runner if it did not look at its world. */
async function unvetted(plugin: Buffer): Promise<Artefact> {
  const translated = await translateComponent(plugin);
  const limits = { memoryBytes: guestLimits.memoryBytes, initialBytes: 0 };
  return {
    ...{ backend: 'component', digest: '0'.repeat(64), validates: false },
    assembly: { kind: 'plan', plan: planOf(translated), needsXml: true },
    modules: translated.modules.map((bytes, place) => ({
      ...{ name: moduleName(place), ...lendMemory(hardenModule(bytes, limits)) },
    })),
  };
}

/** A real runner process with some artefacts loaded, by their numbers. */
async function runnerWith(...artefacts: readonly Artefact[]) {
  let ended: string | null = null;
  const runner = startRunner(createLauncher(), (how) => (ended = how));
  const ask = (request: RunnerRequest, tail: Buffer | null = null): Promise<RunnerReply> =>
    new Promise((resolve, reject) => {
      runner.request(request, { tail, deadlineMs: 60_000 }, (answer) => {
        if ('failure' in answer) reject(new Error(answer.message));
        else resolve(answer.reply);
      });
    });
  for (const [handler, artefact] of artefacts.entries()) {
    const load = { kind: 'load', handler, settings: '{}', limits: guestLimits } as const;
    expect(await ask(load, encodeArtefact(artefact))).toEqual({ kind: 'done' });
  }
  return {
    evaluate: (handler: number) => ask({ kind: 'evaluate', handler, event: hookCall().event, document: false }),
    ended: () => ended,
    [Symbol.asyncDispose]: () => runner.end(),
  };
}

const otherWorld = async (title: string): Promise<Buffer> => {
  const found = otherWorlds.find((one) => one.title === title);
  if (found === undefined) throw new Error(`there is no '${title}'`);
  return found.plugin();
};

describe('in a real runner, a value that the world does not have is the failure of that handler alone', () => {
  it.each([
    [
      'a level with a fifth case',
      () => logsWith('"debug" "info" "warn" "error" "fatal"'),
      'the plug-in broke the contract: invalid discriminant specified for Level',
    ],
    [
      'a number beyond the cases of the answer',
      () => composed({ handle: '(i32.store8 (i32.const 0) (i32.const 3)) (i32.const 0)' }),
      'the plug-in broke the contract: invalid variant discriminant for Outcome',
    ],
  ])('%s', { timeout: 60_000 }, async (_, plugin, message) => {
    const neighbour = await unvetted(await composed({ handle: '(call $say (i32.const 7))' }));
    await using runner = await runnerWith(await unvetted(await plugin()), neighbour);
    for (let round = 0; round < 2; round += 1) {
      const reply = await runner.evaluate(0);
      expect(reply).toMatchObject({ kind: 'failed', failure: 'protocol', logs: [] });
      if (reply.kind === 'failed') {
        expect(reply.message).toBe(message);
        expect(reply.message).not.toMatch(/[[{\n]/u);
      }
      expect(await runner.evaluate(1)).toMatchObject({ kind: 'evaluated', outcome: 'deny', reason: '0000000007' });
    }
    expect(runner.ended()).toBeNull();
  });
});

describe('there is no plan', () => {
  it.each([
    ["an import named 'constructor'", "it imports '"],
    ["a handler without 'handle'", "it exports no 'hookvisor:hook/handler@0.1.0#handle'"],
  ])('for %s', async (title, why) => {
    await expect(otherWorld(title).then(unvetted)).rejects.toMatchObject({
      code: 'plugin-refused',
      message: expect.stringContaining(why) as string,
    });
  });
});

describe('a plan', () => {
  it('gives a core module nothing that an object has by itself', () => {
    const given: WebAssembly.Imports[] = [];
    const ref: [number, string] = [0, 'memory'];
    const lifted = { instance: 0, encoding: 'utf8', core: ref, memory: ref, realloc: null, postReturn: null } as const;
    const plan = {
      steps: [{ module: 'm', imports: [['a', []] as [string, []]] }],
      handle: lifted,
      validate: null,
    };
    const none = (): never => {
      throw new Error('it is not called');
    };
    const host = { document: none, select: none, json: none, write: none, charge: none };
    plannedComponent(plan)(host, (_, imports) => {
      given.push(imports);
      return new WebAssembly.Instance(new WebAssembly.Module(Buffer.from('AGFzbQEAAAA=', 'base64')));
    });
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']) {
      expect(Reflect.get(given[0] ?? {}, name)).toBeUndefined();
      expect(Reflect.get(given[0]?.['a'] ?? {}, name)).toBeUndefined();
    }
  });
});

/** All functions of the world in an encoding; the document, what is selected in it and the settings are told back. */
const inEncoding = (encoding: 'utf8' | 'utf16'): Promise<Buffer> => {
  const options = `(memory $memory) (realloc $realloc) string-encoding=${encoding}`;
  const expression = encoding === 'utf8' ? '//name' : '/\\00/\\00n\\00a\\00m\\00e\\00';
  const write = (at: number): string =>
    `(call $write (i32.const 2) (i32.load (i32.const ${at})) (i32.load (i32.const ${at + 4})))`;
  const wat = composedWat({
    parts: `
      (import "hookvisor:hook/document@0.1.0" (instance $document
        (type $e (variant (case "no-document") (case "not-xml" string) (case "bad-xpath" string) (case "too-large")))
        (export "select-error" (type $error (eq $e)))
        (export "text" (func (result (option string))))
        (export "select" (func (param "xpath" string) (result (result (list string) (error $error)))))))
      (import "hookvisor:hook/log@0.1.0" (instance $log
        (type $l (enum "debug" "info" "warn" "error"))
        (export "level" (type $level (eq $l)))
        (export "write" (func (param "level" $level) (param "message" string)))))
      (core func $text (canon lower (func $document "text") ${options}))
      (core func $select (canon lower (func $document "select") ${options}))
      (core func $write (canon lower (func $log "write") ${options}))
      (core func $ask (canon lower (func $json) ${options}))`,
    calls: [
      ['text', '(param i32)'],
      ['select', '(param i32 i32 i32)'],
      ['write', '(param i32 i32 i32)'],
      ['ask', '(param i32)'],
    ],
    fields: `(data (i32.const 320) "${expression}")`,
    handle: `
      (call $text (i32.const 64)) ${write(68)}
      (call $select (i32.const 320) (i32.const 6) (i32.const 80))
      (i64.store (i32.const 96) (i64.load (i32.load (i32.const 84)))) ${write(96)}
      ;; The name of the event.
      (i64.store (i32.const 104) (i64.load offset=24 (local.get $event))) ${write(104)}
      (call $ask (i32.const 112))
      (i32.store8 (i32.const 0) (i32.const 1)) (i64.store (i32.const 4) (i64.load (i32.const 112))) (i32.const 0)`,
  });
  return moduleBytes(
    wat.replace('(canon lift (core func $handle)', `(canon lift (core func $handle) string-encoding=${encoding}`),
  );
};

describe('the encodings of text that are admitted work in every function of the world', () => {
  const text = 'é€😀\u{feff}';

  it.each(['utf8', 'utf16'] as const)('%s', async (encoding) => {
    const guest = await loadGuest('component', await inEncoding(encoding), { settings: { a: text } });
    const document = `<domain><name>${text}</name></domain>`;
    const { outcome, logs } = await guest.evaluate(hookCall(document, { name: `name ${text}` }));
    expect(logs).toEqual([document, text, `name ${text}`].map((message) => ({ level: 'warn', message })));
    expect(outcome).toEqual({ outcome: 'deny', reason: JSON.stringify({ a: text }) });
  });
});
