// @ts-check
import { Buffer } from 'node:buffer';

const CUSTOM = 0;
const CORE_MODULE = 1;
const COMPONENT = 4;

/** Custom sections that only people and tools read. */
const unneeded = ['name', 'component-name', 'producers'];

/**
 * A component or core module without the names of its functions and the list of the tools that made it, all nested ones
 * included.
 * @param {Uint8Array} binary
 * @returns {Uint8Array}
 */
export function strip(binary) {
  const isComponent = binary[6] === 1;
  const parts = [binary.subarray(0, 8)];
  for (let at = 8; at < binary.length;) {
    const id = binary[at];
    const { value: size, next } = readNumber(binary, at + 1);
    const body = binary.subarray(next, next + size);
    at = next + size;
    if (id === CUSTOM && unneeded.includes(customName(body))) continue;
    const nested = isComponent && (id === CORE_MODULE || id === COMPONENT);
    const kept = nested ? strip(body) : body;
    parts.push(Uint8Array.of(id ?? 0, ...number(kept.length)), kept);
  }
  return Buffer.concat(parts);
}

/** @param {Uint8Array} body */
function customName(body) {
  const { value: length, next } = readNumber(body, 0);
  return Buffer.from(body.subarray(next, next + length)).toString('utf8');
}

/**
 * A number in LEB128, unsigned.
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function readNumber(bytes, at) {
  let value = 0;
  let next = at;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[next++] ?? 0;
    value += (byte % 128) * factor;
    if (byte < 128) return { value, next };
  }
}

/**
 * @param {number} value
 * @returns {number[]}
 */
function number(value) {
  return value < 128 ? [value] : [(value % 128) + 128, ...number(Math.floor(value / 128))];
}
