const custom = 0;
const coreModule = 1;
const component = 4;

/** Custom sections that only tools read. */
const unneeded = new Set(['name', 'component-name', 'producers']);

/** Removes function names and the list of producers from a component or core module, including nested ones. */
export function strip(binary: Uint8Array): Buffer {
  const isComponent = binary[6] === 1;
  const parts: Uint8Array[] = [binary.subarray(0, 8)];
  for (let at = 8; at < binary.length;) {
    const id = binary[at] ?? custom;
    const { value: size, next } = readNumber(binary, at + 1);
    const body = binary.subarray(next, next + size);
    at = next + size;
    if (id === custom && unneeded.has(customName(body))) continue;
    const nested = isComponent && (id === coreModule || id === component);
    const kept = nested ? strip(body) : body;
    parts.push(Uint8Array.of(id, ...numberBytes(kept.length)), kept);
  }
  return Buffer.concat(parts);
}

function customName(body: Uint8Array): string {
  const { value: length, next } = readNumber(body, 0);
  return Buffer.from(body.subarray(next, next + length)).toString('utf8');
}

/** Reads an unsigned LEB128 number. */
export function readNumber(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  let next = at;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[next++] ?? 0;
    value += (byte % 128) * factor;
    if (byte < 128) return { value, next };
  }
}

function numberBytes(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...numberBytes(Math.floor(value / 128))];
}
