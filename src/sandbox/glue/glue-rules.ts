import type { ExportRef, ImportValue } from '../../backends/component-plan.js';
import { readImports } from './glue-imports.js';
import type { ImportDrafts } from './glue-imports.js';
import { adapterOf, coreName } from './glue-shapes.js';
import type { Adapter } from './glue-shapes.js';
import { expected, parseRef, Unexpected } from './glue-text.js';
import type { Expected, Holes } from './glue-text.js';

type RefOf = (name: string) => ExportRef;

/** What the glue has said so far. */
export interface Reading {
  /** Names of the core modules by their numbers. */
  readonly modules: ReadonlyMap<string, string>;
  /** Variables that hold what a core instance exports. */
  readonly refs: Map<string, ExportRef>;
  /** Variables that hold what a core module may import. */
  readonly values: Map<string, (ref: RefOf) => ImportValue>;
  /** Exported functions of the world. */
  readonly lifted: Map<string, Adapter & { readonly core: string }>;
  readonly steps: { readonly module: string; readonly imports: ImportDrafts }[];
}

interface Rule {
  readonly match: Expected;
  readonly note: (reading: Reading, hole: Holes) => void;
}

const rule = (template: string, note: Rule['note']): Rule => ({ match: expected(template), note });
const ignored = (template: string): Rule => rule(template, () => undefined);
const valueRule = (template: string, value: (hole: Holes) => (ref: RefOf) => ImportValue): Rule =>
  rule(template, ({ values }, hole) => values.set(`trampoline${hole('number')}`, value(hole)));
const constantRule = (template: string, value: (hole: Holes) => ImportValue): Rule =>
  valueRule(template, (hole) => {
    const constant = value(hole);
    return () => constant;
  });

type HostCall = Extract<ImportValue, { is: 'host' }>['call'];
const hostCalls: ReadonlyMap<string, HostCall> = new Map([
  ["'hookvisor:hook/document@0.1.0#text';", 'text'],
  ["'hookvisor:hook/document@0.1.0#select';", 'select'],
  ["'hookvisor:hook/settings@0.1.0#json';", 'json'],
  ["'hookvisor:hook/log@0.1.0#write';", 'write'],
]);

/** All statements that jco's glue for the world may have; each says something, or nothing that matters here. */
export const glueRules: readonly Rule[] = [
  ignored(
    'const instanceFlags<number> = new WebAssembly.Global({ value: "i32", mutable: true }, 1); ' +
      'INSTANCE_FLAGS.set(<number>, instanceFlags<number>);',
  ),
  ignored('let <name>;'),
  // One rule for all of them: each would look for its own end through all that follows.
  rule('const _trampoline<number> = function(<any> }\n _trampoline<number>.fnName = <line>', ({ values }, hole) => {
    const number = hole('number');
    const call = hostCalls.get(hole('line'));
    if (call === undefined) throw new Unexpected(`the function of the world ${hole('line')}`);
    const { instance, memory, realloc } = adapterOf(call, hole('any'), number);
    values.set(`_trampoline${number}`, (ref) => ({
      ...{ is: 'host', call, instance },
      memory: ref(memory),
      realloc: realloc === null ? null : ref(realloc),
    }));
  }),
  rule('let trampoline<number> = _trampoline<number>.manuallyAsync ? <call>', ({ values }, hole) => {
    const number = hole('number');
    const value = values.get(`_trampoline${number}`);
    if (value === undefined) throw new Unexpected(`the trampoline ${number}`);
    values.set(`trampoline${number}`, (ref) => {
      const host = value(ref);
      const { instance, memory, realloc } = adapterOf(
        host.is === 'host' ? `${host.call} lowered` : '',
        hole('call'),
        number,
      );
      const same =
        host.is === 'host' &&
        host.instance === instance &&
        String(host.memory) === String(ref(memory)) &&
        String(host.realloc) === String(realloc === null ? null : ref(realloc));
      if (!same) throw new Unexpected(`the trampoline ${number}`);
      return host;
    });
  }),
  ...['handle', 'validate'].map((name) =>
    rule(`function ${name}(<body>`, ({ lifted }, hole) => {
      const body = hole('body');
      lifted.set(name, { ...adapterOf(name, body, undefined), core: coreName(body) });
    }),
  ),
  // What else is exported is never called: QuickJS leaves its `init`.
  ignored('function <name>(<parameters>) { const hostProvided = false;<body>'),
  ...['<ref>(rep); ', ''].map((destroy) =>
    ignored(
      'const handleTable<number> = [T_FLAG, 0]; handleTable<number>._createdReps = new Set(); ' +
        'handleTable<number>._componentIdx = <other>; ' +
        'const finalizationRegistry<number> = finalizationRegistryCreate((handle) => { ' +
        `const { rep } = rscTableRemove(handleTable<number>, handle); ${destroy}}); ` +
        'HANDLE_TABLES[<number>] = handleTable<number>;',
    ),
  ),
  valueRule(
    'function trampoline<number>(handle) { const handleEntry = rscTableRemove(handleTable<other>, handle); ' +
      'if (handleEntry.own) { <ref>(handleEntry.rep); } }',
    (hole) => {
      const table = Number(hole('other'));
      const destructor = parseRef(hole('ref'));
      return () => ({ is: 'resource-drop', table, instance: null, destructor });
    },
  ),
  constantRule(
    'function trampoline<number>(handle) { const handleEntry = rscTableRemove(handleTable<other>, handle); ' +
      'if (handleEntry.own) { } }',
    (hole) => ({ ...{ is: 'resource-drop', table: Number(hole('other')), instance: null }, destructor: null }),
  ),
  constantRule('const trampoline<number> = rscTableCreateOwn.bind(null, handleTable<other>);', (hole) => ({
    ...{ is: 'resource-new', table: Number(hole('other')), instance: null },
  })),
  constantRule(
    'function trampoline<number>(handle) { return rscTableGet(handleTable<other>, handle).rep; }',
    (hole) => ({
      ...{ is: 'resource-rep', table: Number(hole('other')), instance: null },
    }),
  ),
  constantRule('const trampoline<number> = _symmetricSyncGuestCallEnter;', () => ({ is: 'enter' })),
  constantRule('const trampoline<number> = _symmetricSyncGuestCallExit;', () => ({ is: 'exit' })),
  constantRule('const trampoline<number> = resourceTransferOwn;', () => ({ is: 'transfer-own' })),
  constantRule('const trampoline<number> = resourceTransferBorrow;', () => ({ is: 'transfer-borrow' })),
  constantRule('function trampoline<number>() { throw new WebAssemblyRuntimeError("<message>"); }', (hole) => ({
    ...{ is: 'trap', message: hole('message') },
  })),
  valueRule(
    'function trampoline<number>(from_ptr, len, to_ptr) { new Uint8Array(memory<to>.buffer, to_ptr, len)' +
      '.set(new Uint8Array(memory<from>.buffer, from_ptr, len)); }',
    (hole) => (ref) => ({ is: 'copy', from: ref(`memory${hole('from')}`), to: ref(`memory${hole('to')}`) }),
  ),
  rule('({ exports: exports<number> } = instantiateCore(module<other>));', (reading, hole) => {
    addStep(reading, hole, []);
  }),
  rule('({ exports: exports<number> } = instantiateCore(module<other>, {<imports>\n }));', (reading, hole) => {
    addStep(reading, hole, readImports(hole('imports')));
  }),
  rule('<name> = <ref>;', ({ refs }, hole) => refs.set(hole('name'), parseRef(hole('ref')))),
  ignored('try { <name>Async = WebAssembly.promising(<ref>); } catch(err) { <name>Async = <ref>; }'),
  ignored('const <name> = { handle: handle, };'),
  ignored('const <name> = { validate: validate, };'),
  ignored('return {<line>};'),
];

function addStep({ steps, modules }: Reading, hole: Holes, imports: ImportDrafts): void {
  const module = modules.get(hole('other'));
  if (module === undefined || Number(hole('number')) !== steps.length) throw new Unexpected('the order of instances');
  steps.push({ module, imports });
}
