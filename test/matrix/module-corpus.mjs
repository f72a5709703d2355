// @ts-check
// Core modules for Extism that are good but for one place, where every opcode, every type byte and every encoding of a
// number stands in turn: what is made of them must not depend on the version of V8.

/** @typedef {{ title: string, bytes: Buffer }} CorpusModule */
/** @typedef {readonly number[]} Bytes */

/**
 * What a module may have in place of what a good one has, as content of its sections.
 * @typedef {object} Parts
 * @property {Bytes} [type] Of type 1, which the function has whose body is tried.
 * @property {Bytes} [imports] With their number.
 * @property {Bytes} [tables]
 * @property {Bytes} [memories]
 * @property {Bytes} [globals]
 * @property {Bytes} [exported] One more export.
 * @property {Bytes} [elements]
 * @property {Bytes} [data]
 * @property {Bytes} [locals]
 * @property {Bytes} [code]
 * @property {Bytes} [more] Sections at the end.
 */

/** How many numbers are tried after a prefix: those in use end at 0x113, and some versions know more. */
const subOpcodes = 0x1a0;

/** What may follow an opcode: nothing, indexes, constants, a type. */
const fills = [[], [0], [0, 0], [0, 0, 0], zeros(16), [0x70], [1, 0x7f], [0x40, 0x0b]];

const [i32, funcref, end, unreachable] = [0x7f, 0x70, 0x0b, 0x00];

/**
 * All modules, each once.
 * @returns {Generator<CorpusModule>}
 */
export function* moduleCorpus() {
  /** @type {Set<string>} */
  const seen = new Set();
  for (const part of [types(), opcodes(), numbers(), structures()]) {
    for (const one of part) {
      const key = one.bytes.toString('latin1');
      if (seen.has(key)) continue;
      seen.add(key);
      yield one;
    }
  }
}

/** @returns {Generator<CorpusModule>} */
function* opcodes() {
  const plain = range(256).map((opcode) => [opcode]);
  const prefixed = [0xfb, 0xfc, 0xfd, 0xfe].flatMap((prefix) => range(subOpcodes).map((sub) => [prefix, ...leb(sub)]));
  for (const opcode of [...plain, ...prefixed]) {
    for (const fill of fills) {
      const code = [unreachable, ...opcode, ...fill, unreachable];
      yield module(`opcode ${hex(opcode)}, then ${hex(fill)}`, { code });
    }
  }
}

/** @returns {Generator<CorpusModule>} */
function* types() {
  /** @type {Record<string, (type: Bytes) => Parts>} */
  const places = {
    'a parameter': (type) => ({ type: [0x60, 1, ...type, 0] }),
    'a result': (type) => ({ type: [0x60, 0, 1, ...type], code: [unreachable] }),
    'a local': (type) => ({ locals: [1, 1, ...type] }),
    'no local': (type) => ({ locals: [1, 0, ...type] }),
    'a block': (type) => ({ code: [0x02, ...type, unreachable, end, unreachable] }),
    'a loop': (type) => ({ code: [0x03, ...type, unreachable, end, unreachable] }),
    'an if': (type) => ({ code: [unreachable, 0x04, ...type, unreachable, 0x05, unreachable, end, unreachable] }),
    'a select': (type) => ({ code: [unreachable, 0x1c, 1, ...type, unreachable] }),
    'ref.null': (type) => ({ code: [0xd0, ...type, 0x1a] }),
    'a global': (type) => ({ globals: [1, ...type, 0, 0x41, 0, end] }),
    'a global without a value': (type) => ({ globals: [1, ...type, 0, 0xd0, ...type, end] }),
    'an imported global': (type) => ({ imports: [1, 1, 0x61, 1, 0x62, 3, ...type, 0] }),
    'a table': (type) => ({ tables: [1, ...type, 0, 1] }),
    'a table with a value': (type) => ({ tables: [1, 0x40, 0, ...type, 0, 1, 0xd0, ...type, end] }),
    'an imported table': (type) => ({ imports: [1, 1, 0x61, 1, 0x62, 1, ...type, 0, 1] }),
    'passive elements': (type) => ({ elements: [1, 5, ...type, 1, 0xd0, ...type, end] }),
    'elements of a table': (type) => ({ elements: [1, 6, 0, 0x41, 0, end, ...type, 0] }),
    'declared elements': (type) => ({ elements: [1, 7, ...type, 0] }),
    'a kind of elements': (type) => ({ elements: [1, 1, ...type, 1, 0] }),
    'a type definition': (type) => ({ type: [...type, 0, 0] }),
    'a type of the kind': (type) => ({ type: [...type, 0, 0x60, 0, 0] }),
    'a kind of import': (type) => ({ imports: [1, 1, 0x61, 1, 0x62, ...type, 0, 0] }),
    'a kind of export': (type) => ({ exported: [1, 0x78, ...type, 0] }),
    'a kind of global': (type) => ({ globals: [1, i32, ...type, 0x41, 0, end] }),
    'limits of a memory': (type) => ({ memories: [1, ...type, 1, 2] }),
    'limits of a table': (type) => ({ tables: [1, funcref, ...type, 1, 2] }),
    'flags of elements': (type) => ({ elements: [1, ...type, 0x41, 0, end, 0] }),
    'flags of data': (type) => ({ data: [1, ...type, 0x41, 0, end, 0] }),
    'a constant': (type) => ({ globals: [1, i32, 0, ...type, 0, end] }),
  };
  for (const [place, parts] of Object.entries(places)) {
    for (const byte of range(256)) {
      for (const after of byte === 0x63 || byte === 0x64 ? [[], [0], [0x20], [0x70], [0xf0, 0x7f]] : [[]]) {
        yield module(`${place}: ${hex([byte, ...after])}`, parts([byte, ...after]));
      }
    }
    // The same types in more bytes than one.
    for (const long of [
      [0xff, 0x7f],
      [0xff, 0xff, 0x7f],
      [0xf0, 0x7f],
      [0xc0, 0x7f],
      [0x80, 0x00],
      [0xe3, 0x7f, 0],
    ]) {
      yield module(`${place}: ${hex(long)}`, parts(long));
    }
  }
}

/** @returns {Generator<CorpusModule>} */
function* numbers() {
  /** @type {Record<string, (number: Bytes) => Parts>} */
  const places = {
    'i32.const': (number) => ({ code: [0x41, ...number, 0x1a] }),
    'i64.const': (number) => ({ code: [0x42, ...number, 0x1a] }),
    'the type of a block': (number) => ({ code: [0x02, ...number, end] }),
    'the type of call_indirect': (number) => ({ code: [unreachable, 0x11, ...number, 0, unreachable] }),
    'the table of call_indirect': (number) => ({ code: [unreachable, 0x11, 0, ...number, unreachable] }),
    'local.get': (number) => ({ locals: [1, 1, i32], code: [0x20, ...number, 0x1a] }),
    'an alignment': (number) => ({ code: [unreachable, 0x28, ...number, 0, unreachable] }),
    'an offset': (number) => ({ code: [unreachable, 0x28, 0, ...number, unreachable] }),
    'the memory of a load': (number) => ({ code: [unreachable, 0x28, 0x40, ...number, 0, unreachable] }),
    'the memory of memory.size': (number) => ({ code: [0x3f, ...number, 0x1a] }),
    'the memory of memory.copy': (number) => ({ code: [unreachable, 0xfc, 10, ...number, 0, unreachable] }),
    'the number after fc': (number) => ({ code: [unreachable, 0xfc, ...number, unreachable] }),
    'the number after fd': (number) => ({ code: [unreachable, 0xfd, ...number, unreachable] }),
    'the labels of br_table': (number) => ({ code: [unreachable, 0x0e, ...number, 0, unreachable] }),
    'the types of select': (number) => ({ code: [unreachable, 0x1c, ...number, i32, unreachable] }),
    'the groups of locals': (number) => ({ locals: [...number, 0, i32] }),
    'a lane': (number) => ({ code: [unreachable, 0xfd, 0x15, ...number, unreachable] }),
    'the size of a memory': (number) => ({ memories: [1, 0, ...number] }),
    'the size of a 64-bit memory': (number) => ({ memories: [1, 4, ...number] }),
    'the flags of elements': (number) => ({ elements: [1, ...number, 0x41, 0, end, 0] }),
    'the flags of data': (number) => ({ data: [1, ...number, 0x41, 0, end, 0] }),
    'the memory of data': (number) => ({ data: [1, 2, ...number, 0x41, 0, end, 0] }),
    'a global of its own in a constant': (number) => ({
      globals: [2, i32, 0, 0x41, 0, end, i32, 0, 0x23, ...number, end],
    }),
  };
  for (const [place, parts] of Object.entries(places)) {
    for (const size of range(11)) {
      for (const first of [0x80, 0x81, 0xff]) {
        for (const last of [0x00, 0x01, 0x07, 0x08, 0x0f, 0x10, 0x3f, 0x40, 0x70, 0x78, 0x7e, 0x7f]) {
          const number = [...range(size).map(() => first), last];
          yield module(`${place}: ${hex(number)}`, parts(number));
        }
      }
    }
  }
}

/** @returns {Generator<CorpusModule>} */
function* structures() {
  for (const id of range(256)) yield module(`a section ${id} at the end`, { more: [id, 1, 0] });
  for (const size of range(4))
    yield module(`a custom section of ${size} bytes`, { more: [0, size, ...range(size).map(() => 0xff)] });
  for (const name of ['name', 'metadata.code.branch_hint', 'compilationHints', 'dylink.0', 'sourceMappingURL']) {
    const body = [name.length, ...Buffer.from(name), 0xff, 0xff, 0xff];
    yield module(`a custom section '${name}'`, { more: [0, body.length, ...body] });
  }
  /** @type {[string, Bytes][]} */
  const bodies = [
    ['goes on after its end', [end, 0x01]],
    ['has a second end', [end]],
    ['has an else without an if', [0x05]],
    ['ends inside a block', [0x02, 0x40]],
    ['has a try', [0x06, 0x40, end]],
    ['has a try_table', [0x1f, 0x40, 0, end]],
    ['has a type in two bytes', [0x02, 0xff, 0x7f, unreachable, end, 0x1a]],
    ['hides a loop', [0x02, 0x63, 0x00, 0x03, 0x40, end, 0xd0, 0x00, end, 0x1a]],
    ['selects by two types', [unreachable, 0x1c, 2, i32, i32, unreachable]],
    ['drops what cannot be reached', [unreachable, 0x1a, 0x1b, 0xd1, 0x1a]],
  ];
  for (const [what, code] of bodies) yield module(`a function that ${what}`, { code });
}

/**
 * @param {string} title
 * @param {Parts} parts
 * @returns {CorpusModule}
 */
function module(title, parts) {
  const imports = parts.imports === undefined ? [] : section(2, parts.imports);
  const handle = sized([0, 0x41, 0, end]);
  const body = sized([...(parts.locals ?? [0]), ...(parts.code ?? []), end]);
  const exported = parts.exported === undefined ? [] : [parts.exported];
  const sections = [
    section(1, [2, 0x60, 0, 1, i32, ...(parts.type ?? [0x60, 0, 0])]),
    imports,
    section(3, [2, 0, 1]),
    section(4, parts.tables ?? [1, funcref, 0, 1]),
    section(5, parts.memories ?? [1, 0, 1]),
    parts.globals === undefined ? [] : section(6, parts.globals),
    section(7, [
      2 + exported.length,
      6,
      ...Buffer.from('handle'),
      0,
      0,
      6,
      ...Buffer.from('memory'),
      2,
      0,
      ...exported.flat(),
    ]),
    section(9, parts.elements ?? [1, 1, 0, 1, 0]),
    section(12, [1]),
    section(10, [2, ...handle, ...body]),
    section(11, parts.data ?? [1, 1, 0]),
    parts.more ?? [],
  ];
  return { title, bytes: Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]) };
}

/**
 * @param {number} id
 * @param {Bytes} body
 */
function section(id, body) {
  return [id, ...sized(body)];
}

/** @param {Bytes} body */
function sized(body) {
  return [...leb(body.length), ...body];
}

/** @param {number} value */
function leb(value) {
  return value < 128 ? [value] : [(value % 128) + 128, Math.floor(value / 128)];
}

/** @param {number} count */
function zeros(count) {
  return range(count).map(() => 0);
}

/** @param {number} count */
function range(count) {
  return Array.from({ length: count }, (_, at) => at);
}

/** @param {Bytes} some */
function hex(some) {
  return some.length === 0 ? 'nothing' : Buffer.from(some).toString('hex');
}
