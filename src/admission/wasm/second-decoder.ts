/**
 * A second decoder of instructions. It shares no code with the first one (`wasm-code.ts`) and was written from the
 * specification's table of opcodes. Both must find the same end for every instruction. Source:
 * https://webassembly.github.io/spec/core/appendix/index-instructions.html
 */

/**
 * For each opcode or range of opcodes in hexadecimal, one letter per operand. A dot joins a prefix and its opcode. u:
 * u32; i, l: a signed number of 32 or 64 bits; b: a block type; v: a value type; r: a reference type; a: a memory
 * argument; z: the byte 0; 1: the byte 1; x, f, d, q: one, four, eight or sixteen bytes; t: a vector of u32.
 */
const format = `
00 01 02-04=b 05 0b 0c-0d=u 0e=tu 0f 10=u 11=uu 12=u 13=uu 1a 1b 1c=1v 20-24=u 25-26=u 28-3e=a 3f-40=z
41=i 42=l 43=f 44=d 45-c4 d0=r d1 d2=u
fc.00-07 fc.08=uz fc.09=u fc.0a=zz fc.0b=z fc.0c=uu fc.0d=u fc.0e=uu fc.0f-11=u
fd.00-0b=a fd.0c-0d=q fd.0e-14 fd.15-22=x fd.23-53 fd.54-5b=ax fd.5c-5d=a fd.5e-99 fd.9b-a1 fd.a3-a4 fd.a7-ae
fd.b1 fd.b5-ba fd.bc-c1 fd.c3-c4 fd.c7-ce fd.d1 fd.d5-e1 fd.e3-ed fd.ef-ff
`;

const prefixes = [0, 0xfc, 0xfd] as const;

/** The operand letters, by prefix index times 256 plus opcode; null if there is no such instruction. */
const shapes: (string | null)[] = Array.from({ length: 3 * 256 }, () => null);
for (const word of format.trim().split(/\s+/u)) {
  const [opcodes = '', letters = ''] = word.split('=');
  const [prefix, range] = opcodes.includes('.') ? opcodes.split('.') : ['0', opcodes];
  const [first = 0, last = first] = (range ?? '').split('-').map((digits) => Number.parseInt(digits, 16));
  const row = (prefixes as readonly number[]).indexOf(Number.parseInt(prefix ?? '', 16));
  for (let opcode = first; opcode <= last; opcode += 1) shapes[256 * row + opcode] = letters;
}

/** Stands for "no valid end". */
const nowhere = -1;

/** Returns where the instruction at an offset ends, or -1 if no plug-in may use it or it is malformed. */
export function instructionEnd(code: Uint8Array, start: number): number {
  const opcode = code[start] ?? 0xff;
  let shape = shapes[opcode];
  let at = start + 1;
  if (opcode >= 0xfc) {
    if (opcode > 0xfd) return nowhere;
    const low = code[at] ?? 0xff;
    const two = low >= 0x80;
    // Two bytes encode 128 to 255.
    if (two && code[at + 1] !== 1) return nowhere;
    shape = shapes[256 * (opcode - 0xfb) + low];
    at += two ? 2 : 1;
  }
  if (shape === '') return at;
  if (shape === null || shape === undefined) return nowhere;
  for (let letter = 0; letter < shape.length && at !== nowhere; letter += 1) {
    at = operandEnd(code, at, shape[letter]);
  }
  return at > code.length ? nowhere : at;
}

/** Returns where the locals at the beginning of a function's body end, or -1 if they are malformed. */
export function localsEnd(body: Uint8Array): number {
  let at = lebEnd(body, 0, 5, unsigned);
  if (at === nowhere) return nowhere;
  for (let left = valueBefore(body, 0, at); left > 0; left -= 1) {
    at = lebEnd(body, at, 5, unsigned);
    if (at === nowhere || !isValueType(body[at])) return nowhere;
    at += 1;
  }
  return at;
}

/** Returns the unsigned number in a LEB128. */
export function valueBefore(code: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let at = end - 1; at >= from; at -= 1) value = value * 128 + ((code[at] ?? 0) % 128);
  return value;
}

/** The values that the last possible byte may have, by how many of its bits count. */
const unsigned = { below: 0x10, from: 0x80 } as const;
const signed32 = { below: 0x08, from: 0x78 } as const;
const signed64 = { below: 0x01, from: 0x7f } as const;

/**
 * Returns where a LEB128 of at most `most` bytes ends. If it has that many, the last byte must be below `last.below`,
 * or at least `last.from`.
 */
function lebEnd(code: Uint8Array, start: number, most: number, last: { below: number; from: number }): number {
  let at = start;
  while ((code[at] ?? 0) > 0x7f) at += 1;
  const size = at - start + 1;
  if (at >= code.length || size > most) return nowhere;
  const byte = code[at] ?? 0;
  return size < most || byte < last.below || byte >= last.from ? at + 1 : nowhere;
}

function operandEnd(code: Uint8Array, at: number, letter: string | undefined): number {
  const byte = code[at];
  switch (letter) {
    case 'u':
      return lebEnd(code, at, 5, unsigned);
    case 'i':
      return lebEnd(code, at, 5, signed32);
    case 'l':
      return lebEnd(code, at, 10, signed64);
    case 'b':
      return blockTypeEnd(code, at);
    case 'v':
      return isValueType(byte) ? at + 1 : nowhere;
    case 'r':
      return byte === 0x70 || byte === 0x6f ? at + 1 : nowhere;
    case 'a': {
      // An alignment of 64 or more means that a memory index follows.
      const end = lebEnd(code, at, 5, unsigned);
      return end === nowhere || valueBefore(code, at, end) > 63 ? nowhere : lebEnd(code, end, 5, unsigned);
    }
    case 'z':
      return byte === 0 ? at + 1 : nowhere;
    case '1': {
      const end = lebEnd(code, at, 5, unsigned);
      return end !== nowhere && valueBefore(code, at, end) === 1 ? end : nowhere;
    }
    case 'x':
      return at + 1;
    case 'f':
      return at + 4;
    case 'd':
      return at + 8;
    case 'q':
      return at + 16;
    case 't': {
      let end = lebEnd(code, at, 5, unsigned);
      for (let left = end === nowhere ? 0 : valueBefore(code, at, end); left > 0 && end !== nowhere; left -= 1) {
        end = lebEnd(code, end, 5, unsigned);
      }
      return end;
    }
    case undefined:
    default:
      return nowhere;
  }
}

/** Reads one byte for no result or a value type, otherwise a non-negative signed number of 33 bits. */
function blockTypeEnd(code: Uint8Array, at: number): number {
  const byte = code[at] ?? 0xff;
  if (byte === 0x40 || isValueType(byte)) return at + 1;
  let end = at;
  while ((code[end] ?? 0) > 0x7f) end += 1;
  const last = code[end] ?? 0xff;
  if (end - at > 4 || last > 0x3f) return nowhere;
  return end - at === 4 && last > 0x0f ? nowhere : end + 1;
}

function isValueType(byte: number | undefined): boolean {
  return byte !== undefined && ((byte > 0x7a && byte < 0x80) || byte === 0x70 || byte === 0x6f);
}
