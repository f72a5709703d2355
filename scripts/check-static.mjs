// @ts-check
// Runs the checks that need no tests, in parallel: node scripts/check-static.mjs
// Exit status: 0 all passed, 1 one failed; prints the output of those that failed.
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The slowest first. */
const checks = ['lint', 'translator', 'types', 'format', 'dead', 'generated'];
const failed = [];
const waiting = [...checks];

await Promise.all(Array.from({ length: Math.max(2, availableParallelism() - 1) }, work));
process.exitCode = failed.length === 0 ? 0 : 1;

async function work() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const began = performance.now();
    const { ok, text } = await check(name);
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    console.log(`${ok ? '✓' : '✗'} check:${name} (${seconds} s)${ok ? '' : `\n${text}`}`);
    if (!ok) failed.push(name);
  }
}

/**
 * @param {string} name
 * @returns {Promise<{ ok: boolean, text: string }>}
 */
function check(name) {
  return new Promise((resolve) => {
    const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 };
    execFile('npm', ['run', '--silent', `check:${name}`], options, (error, stdout, stderr) => {
      resolve({ ok: error === null, text: `${stdout}${stderr}`.trim() });
    });
  });
}
