import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/shared/paths.js';

const compiler = process.env['CC'] ?? 'cc';
const native = join(packageRoot, 'native');
const fixtures = join(packageRoot, 'test/fixtures/native');
/** For programs that run for long. */
export const sanitizers = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

/** What each program is made of; scripts/build-native.mjs says the same. */
const sources = {
  client: ['client', 'exchange', 'fallback', 'policy', 'report', 'wait'],
  gate: ['gate', 'control'],
  spawner: ['spawner', 'job'],
} as const;

export type NativeProgram = keyof typeof sources;

/** Why there are no sanitizers here; null when there are. */
export function whyNoSanitizers(dir: string): string | null {
  const [source, program] = [join(dir, 'empty.c'), join(dir, 'empty')];
  writeFileSync(source, 'int main(void) { return 0; }\n');
  const compiled = spawnSync(compiler, [...sanitizers, '-o', program, source], { encoding: 'utf8' });
  if (compiled.status !== 0)
    return `${compiler} ${sanitizers.join(' ')}: ${compiled.error?.message ?? compiled.stderr}`;
  const ran = spawnSync(program, { encoding: 'utf8' });
  return ran.status === 0 ? null : `a program with sanitizers does not run: ${ran.stderr}`;
}

/** Sanitizers for thousands of runs: AddressSanitizer takes ten milliseconds for each, so it is for the whole suite only. */
const quick = process.env['HOOKVISOR_FAULTS'] === 'all' ? sanitizers : ['-g', '-O1', '-fsanitize=undefined'];

/**
 * Builds a native program into `dir` with sanitizers where there are any, and so that HOOKVISOR_FAULT makes its calls
 * fail (test/fixtures/native/faults.c). Returns its path.
 */
export function buildWithFaults(dir: string, program: NativeProgram, kind = quick): string {
  const output = join(dir, program);
  const instrumented = whyNoSanitizers(dir) === null ? kind : ['-g', '-O1'];
  compile([
    ...instrumented,
    ...['-include', join(fixtures, 'vfork.h')],
    ...['-o', output],
    ...sources[program].map((name) => join(native, `${name}.c`)),
    join(fixtures, 'faults.c'),
    ...wrappedCalls().map((call) => `-Wl,--wrap=${call}`),
  ]);
  return output;
}

/** Builds the same faults as a library for LD_PRELOAD, for the client in Node. Returns its path. */
export function buildFaultsLibrary(dir: string): string {
  const output = join(dir, 'faults.so');
  compile(['-O1', '-shared', '-fPIC', '-DPRELOAD', '-o', output, join(fixtures, 'faults.c'), '-ldl']);
  return output;
}

/** Builds a program that prints the policy that native/policy.c reads (test/fixtures/native/print-policy.c). Returns its path. */
export function buildPolicyPrinter(dir: string): string {
  const output = join(dir, 'print-policy');
  const instrumented = whyNoSanitizers(dir) === null ? sanitizers : ['-g', '-O1'];
  const parts = ['policy', 'report', 'wait'].map((name) => join(native, `${name}.c`));
  compile([...instrumented, '-I', native, '-o', output, join(fixtures, 'print-policy.c'), ...parts]);
  return output;
}

function compile(args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(compiler, ['-std=gnu11', '-Wall', '-Wextra', '-Werror', ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`Cannot compile with ${compiler}: ${error?.message ?? stderr}`);
}

/** The functions that faults.c stands for. */
function wrappedCalls(): string[] {
  const text = readFileSync(join(fixtures, 'faults.c'), 'utf8');
  const named = [...text.matchAll(/^(?:CALL\(\w+, |BYTES\(|VARIADIC\()(\w+),|NAME\((\w+)\)\(.*\{$/gmu)];
  return [...new Set(named.flatMap(([, one, two]) => one ?? two ?? []))].filter((name) => name !== 'writev');
}

/** The calls that a program makes of those that can fail: the ones whose name is in its sources. */
export function callsOf(program: NativeProgram): string[] {
  const files = readdirSync(native).filter((file) => sources[program].some((name) => file === `${name}.c`));
  const text = files.map((file) => readFileSync(join(native, file), 'utf8')).join('\n');
  return wrappedCalls().filter((call) => new RegExp(`\\b${call}\\(`, 'u').test(text));
}
