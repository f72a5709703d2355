import { extismWat, moduleBytes } from './plugins.js';
import { write } from './temp.js';

const answers = {
  allow: '{"outcome":"allow"}',
  // The same answer of another plugin, by one byte.
  'allow-too': '{"outcome":"allow"} ',
  deny: '{"outcome":"deny","reason":"no"}',
  'deny-otherwise': '{"outcome":"deny","reason":"never"}',
} as const;

/** Writes an Extism plugin that always answers the same, 300 bytes that load in an instant, and gives its path. */
export async function writePlugin(dir: string, answer: keyof typeof answers, name = `${answer}.wasm`): Promise<string> {
  return write(dir, name, await moduleBytes(extismWat(answers[answer])));
}

/** Writes one that traps, and gives its path. */
export async function writeTrap(dir: string): Promise<string> {
  return write(dir, 'trap.wasm', await moduleBytes(extismWat('', { before: 'unreachable' })));
}
