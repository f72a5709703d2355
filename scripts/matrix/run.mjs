// @ts-check
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * A Node under test.
 * @typedef {{ version: string, binary: string }} NodeBinary
 */

/**
 * The result of one column under one Node.
 * @typedef {{ ok: boolean, text: string }} Cell
 */

export const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs a program in the root of the repository; keeps the end of its stderr.
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<{ status: number | null, stderr: string }>}
 */
export function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      stderr = (stderr + text).slice(-20_000);
    });
    child.once('error', reject);
    child.once('close', (status) => {
      resolve({ status, stderr });
    });
  });
}

/**
 * Reports a step that takes time.
 * @param {string} what
 */
export function tell(what) {
  console.error(`… ${what}`);
}
