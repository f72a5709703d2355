// @ts-check
// Measures the cost of fuel: the same module with and without limits, in alternation in one process.
//   node bench/fuel.mjs [--json] [--rounds N]
// Exit status: 0 all targets met, 1 a target missed, 2 bad arguments.
import { setFlagsFromString } from 'node:v8';
import { parseArgs } from 'node:util';
import { buildFib, buildLoops, buildQuickJs } from './support/guests.mjs';
import { componentVariants, moduleVariants } from './support/variants.mjs';

/** @typedef {{ name: string, target: number, measured: number, met: boolean, plainMs: number, hardenedMs: number }} Row */
/** @typedef {{ name: string, target: number, variants: import('./support/variants.mjs').Variants }} Subject */

// QuickJS uses extended constant expressions, which Node 20 disables by default.
if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-extended-const');

process.exitCode = await main();

async function main() {
  const options = readArguments();
  if (options === null) return 2;
  const rows = (await subjects()).map((subject) => measure(subject, options.rounds));
  if (options.json) console.log(JSON.stringify({ rows }, null, 2));
  else print(rows);
  return rows.every(({ met }) => met) ? 0 : 1;
}

function readArguments() {
  try {
    const { values } = parseArgs({ options: { json: { type: 'boolean' }, rounds: { type: 'string' } } });
    const rounds = Number(values.rounds ?? '9');
    if (!Number.isInteger(rounds) || rounds < 1)
      throw new Error(`--rounds takes a number from 1, not '${values.rounds}'`);
    return { json: values.json === true, rounds };
  } catch (error) {
    console.error(`Cannot run the bench: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/** @returns {Promise<Subject[]>} */
async function subjects() {
  const [quickJs, loops, fib] = await Promise.all([buildQuickJs(), buildLoops(), buildFib()]);
  const event = {
    id: 'bench',
    time: 0,
    kind: 'domain',
    name: 'tenant-a-web-01',
    event: 'prepare',
    qualifier: 'begin',
    driver: 'qemu',
    extra: null,
    uuid: null,
  };
  return [
    { name: 'QuickJS, a million turns', target: 1.25, variants: await componentVariants(quickJs, event) },
    { name: 'AssemblyScript, integers', target: 1.3, variants: moduleVariants(loops, 'integers', 20_000_000) },
    { name: 'AssemblyScript, sorting', target: 1.3, variants: moduleVariants(loops, 'sort', 300_000) },
    { name: 'WAT, recursion', target: 1.3, variants: moduleVariants(fib, 'fib', 32) },
  ];
}

/**
 * Measures both variants in each round, so that other load affects both alike. The ratio is the median of the rounds'
 * ratios.
 * @param {Subject} subject
 * @param {number} rounds
 * @returns {Row}
 */
function measure({ name, target, variants }, rounds) {
  const { plain, hardened } = variants;
  // V8 recompiles a function after it has run for a while.
  for (let warm = 0; warm < 3; warm += 1) {
    if (JSON.stringify(plain()) !== JSON.stringify(hardened())) throw new Error(`${name}: limits change its result`);
  }
  /** @type {{ plain: number, hardened: number }[]} */
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    // The first one in a round has colder caches.
    if (round % 2 === 0) times.push({ plain: timeOf(plain), hardened: timeOf(hardened) });
    else {
      const second = timeOf(hardened);
      times.push({ plain: timeOf(plain), hardened: second });
    }
  }
  const measured = median(times.map((time) => time.hardened / time.plain));
  return {
    name,
    target,
    measured: Number(measured.toFixed(3)),
    met: measured <= target,
    plainMs: Number(median(times.map((time) => time.plain)).toFixed(2)),
    hardenedMs: Number(median(times.map((time) => time.hardened)).toFixed(2)),
  };
}

/** @param {() => unknown} work */
function timeOf(work) {
  const began = performance.now();
  work();
  return performance.now() - began;
}

/** @param {number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** @param {readonly Row[]} rows */
function print(rows) {
  console.log('fuel: run time with limits ÷ without\n');
  for (const { name, target, measured, met, plainMs, hardenedMs } of rows) {
    const times = `${plainMs.toFixed(1)} → ${hardenedMs.toFixed(1)} ms`;
    console.log(`${met ? '✓' : '✗'} ${name.padEnd(28)} ${measured.toFixed(2)} × (at most ${target})   ${times}`);
  }
}
