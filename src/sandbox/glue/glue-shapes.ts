import { createHash } from 'node:crypto';
import { Unexpected } from './glue-text.js';

/** A function of the world that a component calls or is called by, by the names of the glue's variables. */
export interface Adapter {
  readonly instance: number;
  readonly memory: string;
  readonly realloc: string | null;
  readonly postReturn: string | null;
}

/**
 * sha256 of the functions that jco-transpile, in the version that package.json pins, generates for the functions of wit/,
 * with their numbers left out. Our own code does what these do (src/backends/component-instance.ts); what has another
 * digest has other types or options, and keeps jco's code. A test names the digests when another version brings others.
 */
const known: Readonly<Record<string, readonly string[]>> = {
  text: ['c44c00295d009e4df8e199aaa17b13e880763f4a3c93b420e0f72ae76097b77f'],
  'text lowered': ['626fcc2f62ff4b452efdd3c5129730b367aaea4212edb1b820b2c0b1962c693c'],
  select: ['3894899e96fecfc58472dd86e7e40afd5ca30b74c89c08d4308c129dead21e2f'],
  'select lowered': ['7e5cc07149a89f0b0485cb10cc147992dccaefb0102fd1dc5ec0b7188b5b2f26'],
  json: ['355efee392b164c1862c1840d21779eed1f53b347ec45eef511f5ce15adf6f9e'],
  'json lowered': ['b156c1fc4bc6ecdb8ab7d3a06629722e65a66392218e570624c3d2244a18b5e0'],
  write: ['861f1d930f9cc63490e6f922e8f054e9144028917bba61cf4995fa396634a6ca'],
  'write lowered': ['ccc959ae39e6dbe7e0e81b85f000af1065c22cfd0aed709b154a8cc0b568ca38'],
  handle: [
    '3f174cbe0225d7885f09a5ba4abe28250f7db9a83cfc4040f76bcebf07378483',
    '6638a346a90149e9d8f499790c34e8a2150168ad1de913be727367c329223d7c',
  ],
  validate: [
    '3007a579febea62195d00a3f96933d59bfc266b75ccabd135457cffe3b510047',
    'b55f8a624fbf39254c77d5a716f3a466f3af185efcfc5246b2b6ce1667e55147',
  ],
};

/** Reads a function of the glue, whose text is known but for numbers. Throws Unexpected for any other text. */
export function adapterOf(what: string, text: string, trampoline: string | undefined): Adapter {
  const first = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
  const numbers: Numbers = {
    trampoline,
    instance: first(/getOrCreateAsyncState\((\d+)\)/u) ?? first(/componentIdx: (\d+)/u),
    memory: first(/\bmemory(\d+)/u),
    realloc: first(/\brealloc(\d+)/u),
    postReturn: first(/\bpostReturn(\d+)/u),
  };
  const { instance, memory, realloc, postReturn } = numbers;
  const digest = createHash('sha256').update(withoutNumbers(text, numbers)).digest('hex');
  if (known[what]?.includes(digest) !== true || instance === undefined || memory === undefined) {
    throw new Unexpected(`the function '${what}' of shape ${digest}`);
  }
  return {
    instance: Number(instance),
    memory: `memory${memory}`,
    realloc: realloc === undefined ? null : `realloc${realloc}`,
    postReturn: postReturn === undefined ? null : `postReturn${postReturn}`,
  };
}

/** The variable with the core function that an exported function calls. */
export function coreName(text: string): string {
  return /fn: \(\) => ([$\w]+)\((?:ptr0)?\),/u.exec(text)?.[1] ?? '';
}

interface Numbers {
  readonly trampoline: string | undefined;
  readonly instance: string | undefined;
  readonly memory: string | undefined;
  readonly realloc: string | undefined;
  readonly postReturn: string | undefined;
}

const numbered: readonly (readonly [keyof Numbers, RegExp])[] = [
  ['trampoline', /(?<=\b_?trampoline|\btrampolineIdx: )\d+\b/gu],
  [
    'instance',
    /(?<=\bgetOrCreateAsyncState\(|\b_getGlobalCurrentTaskMeta\(|\b_suspendingImport\(|\bcomponentIdx: )\d+\b/gu,
  ],
  ['instance', /(?<=^ +)\d+(?=,$)/gmu],
  ['memory', /(?<=\bmemory|\bmemoryIdx: |\bsetReturnMemoryIdx\()\d+\b/gu],
  ['memory', /(?<=\bif \()\d+(?=!== null\))/gu],
  ['realloc', /(?<=\brealloc)\d+\b/gu],
  ['postReturn', /(?<=\bpostReturn)\d+\b/gu],
];

/** Leaves out the expected numbers only: a function that mixes two memories keeps a shape of its own. */
function withoutNumbers(text: string, numbers: Numbers): string {
  const core = coreName(text);
  const named = core === '' ? text : text.replaceAll(core, '$core');
  return numbered.reduce(
    (shape, [kind, pattern]) => shape.replace(pattern, (number) => (number === numbers[kind] ? '#' : number)),
    named,
  );
}
