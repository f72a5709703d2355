// @ts-check
// Runs the fuzz tests for a long time: node scripts/fuzz.mjs [--minutes N] [--only NAME] [--seed N]
// Exit status: 0 nothing found, 1 something found (prints its file and seed), 2 bad arguments.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The properties by name, each with its test. */
const properties = {
  'extism-plugins': 'for Extism is refused',
  'component-plugins': 'as a component is refused',
  'world-types': 'is nearly that of the WIT',
  fuel: 'does the same with fuel',
  instructions: 'ends at the same place for both decoders',
  'xpath-cost': 'takes no longer than its steps pay for',
  socket: 'answers or hangs up',
  gate: 'survives whatever comes',
  'gate-model': 'hands every request over once',
  config: 'that was changed is taken',
  redaction: 'keeps no secret',
  'runner-pipe': 'gives an answer that is one',
  messages: 'has its frames, messages and artefacts read',
};

process.exitCode = await main();

/** @returns {Promise<number>} */
async function main() {
  const options = readArguments();
  if (options === null) return 2;
  const { minutes, names, seed } = options;
  const budgetMs = Math.ceil((minutes * 60_000) / names.length);
  const patterns = Object.entries(properties).flatMap(([name, title]) => (names.includes(name) ? [title] : []));
  console.error(`… ${names.join(', ')}: ${(budgetMs / 1000).toFixed(0)} s each`);
  const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
  const args = [vitest, 'run', 'test/fuzz', '--no-file-parallelism', '--testNamePattern', patterns.join('|')];
  const env = {
    ...process.env,
    HOOKVISOR_FUZZ_MS: String(budgetMs),
    ...(seed === null ? {} : { HOOKVISOR_FUZZ_SEED: seed }),
  };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  return new Promise((resolve) => {
    child.once('close', (status) => {
      resolve(status === 0 ? 0 : 1);
    });
  });
}

/** @returns {{ minutes: number, names: string[], seed: string | null } | null} */
function readArguments() {
  try {
    const { values } = parseArgs({
      options: { minutes: { type: 'string' }, only: { type: 'string', multiple: true }, seed: { type: 'string' } },
    });
    const minutes = Number(values.minutes ?? '1');
    if (!(minutes > 0)) throw new Error(`--minutes takes a number above 0, not '${values.minutes}'`);
    const names = values.only ?? Object.keys(properties);
    const unknown = names.find((name) => !Object.hasOwn(properties, name));
    if (unknown !== undefined) {
      throw new Error(`--only takes one of ${Object.keys(properties).join(', ')}, not '${unknown}'`);
    }
    if (values.seed !== undefined && !/^\d+$/u.test(values.seed))
      throw new Error(`--seed takes a number, not '${values.seed}'`);
    return { minutes, names, seed: values.seed ?? null };
  } catch (error) {
    console.error(`Cannot fuzz: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
