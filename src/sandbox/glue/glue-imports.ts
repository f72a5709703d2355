import { memoryReads, memoryWrites } from '../../backends/component-plan.js';
import type { ExportRef, ImportValue } from '../../backends/component-plan.js';
import { expected, parseKey, parseRef, Unexpected } from './glue-text.js';
import type { Expected, Holes } from './glue-text.js';

/** What a core module is given, as soon as all variables of the glue are known. */
export type Draft = (value: (name: string) => ImportValue) => ImportValue;

export type ImportDrafts = [string, [string, Draft][]][];

const namespace = expected('<key>: {');
const namespaceEnd = expected('},');
const field = expected('<key>: <line>');

/** Reads the object of imports that the glue gives to a core module. */
export function readImports(text: string): ImportDrafts {
  const imports: ImportDrafts = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const space = namespace(text, at);
    if (space === null) throw new Unexpected(`the imports ${shown(text, at)}`);
    const fields: [string, Draft][] = [];
    at = skipSpace(text, space.end);
    for (let end = namespaceEnd(text, at); end === null; end = namespaceEnd(text, at)) {
      const one = readField(text, at);
      fields.push([one.key, one.draft]);
      at = skipSpace(text, one.end);
    }
    imports.push([parseKey(space.hole('key')), fields]);
    at = skipSpace(text, at + 2);
  }
  return imports;
}

function readField(text: string, at: number): { key: string; draft: Draft; end: number } {
  const key = field(text, at)?.hole('key');
  if (key !== undefined) {
    const from = skipSpace(text, at + key.length + 1);
    for (const { match, draft } of values) {
      const found = match(text, from);
      if (found !== null) return { key: parseKey(key), draft: draft(found.hole), end: found.end };
    }
  }
  throw new Unexpected(`the import ${shown(text, at)}`);
}

const values: readonly { readonly match: Expected; readonly draft: (hole: Holes) => Draft }[] = [
  ...['<ref>,', 'Object.assign(<ref>, { _jcoMaySuspend: false }),'].map((template) => ({
    match: expected(template),
    draft: (hole: Holes): Draft => {
      const ref = parseRef(hole('ref'));
      return () => ({ is: 'export', ref });
    },
  })),
  {
    match: expected('instanceFlags<number>,'),
    draft: (hole) => () => ({ is: 'flags', instance: Number(hole('number')) }),
  },
  {
    match: expected('Object.assign(trampoline<number>, { _jcoMaySuspend: false }),'),
    draft: (hole) => (value) => value(`trampoline${hole('number')}`),
  },
  {
    match: expected('Object.assign(_guardMayLeave(<other>, trampoline<number>), { _jcoMaySuspend: false }),'),
    draft: (hole) => (value) => guarded(value(`trampoline${hole('number')}`), Number(hole('other'))),
  },
  ...(['get', 'set'] as const).flatMap((way) =>
    [0, 1].map((slot) => ({
      match: expected(`context${way === 'get' ? 'Get' : 'Set'}.bind(null, { slot: ${slot} }),`),
      draft: (): Draft => () => ({ is: `context-${way}`, slot }),
    })),
  ),
  {
    match: expected('ptr => <ref>.buffer.byteLength / 65536,'),
    draft: (hole) => () => ({ is: 'pages', memory: parseRef(hole('ref')) }),
  },
  ...memoryReads.map((access) => ({
    match: expected(`(ptr, off) => new DataView(<ref>.buffer).${access}(ptr + off, true),`),
    draft: accessDraft(access),
  })),
  ...memoryWrites.map((access) => ({
    match: expected(`(ptr, val, offset) => { new DataView(<ref>.buffer).${access}(ptr + offset, val, true); },`),
    draft: accessDraft(access),
  })),
];

function accessDraft(access: Extract<ImportValue, { is: 'access' }>['access']): (hole: Holes) => Draft {
  return (hole) => {
    const memory: ExportRef = parseRef(hole('ref'));
    return () => ({ is: 'access', memory, access });
  };
}

function guarded(value: ImportValue, instance: number): ImportValue {
  if (value.is !== 'resource-new' && value.is !== 'resource-rep' && value.is !== 'resource-drop') {
    throw new Unexpected(`the guard of a '${value.is}'`);
  }
  return { ...value, instance };
}

/** The place of the next character that is no space. */
export function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n') at += 1;
  return at;
}

export function shown(text: string, at: number): string {
  return JSON.stringify(text.slice(at, at + 80));
}
