import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/shared/paths.js';
import { bubblewrap } from '../../../src/runtime/isolation/bubblewrap.js';
import type { Mechanism } from '../../../src/runtime/isolation/mechanism.js';
import { startProcess } from '../../../src/runtime/isolation/sandbox-process.js';
import { seccompFilter } from '../../../src/runtime/isolation/seccomp.js';
import { clone, clone3, newestCall, refusedCalls } from '../../../src/runtime/isolation/seccomp-calls.js';
import type { CallNumbers } from '../../../src/runtime/isolation/seccomp-calls.js';
import { found } from './mechanisms.js';
import { temporaryFolder } from '../../support/sandbox.js';

const compiler = process.env['CC'] ?? 'cc';
const { EPERM, ENOSYS } = constants.errno;
const allow = 0x7fff_0000;
const kill = 0x8000_0000;
const errno = (number: number): number => 0x0005_0000 + number;
const archs = [
  { arch: 'x64', at: 0, audit: 0xc000_003e, headers: '/usr/include/x86_64-linux-gnu/asm/unistd_64.h', read: 0 },
  { arch: 'arm64', at: 1, audit: 0xc000_00b7, headers: '/usr/include/asm-generic/unistd.h', read: 63 },
] as const;

const flags = { newUser: 0x1000_0000, newNet: 0x4000_0000, thread: 0x0001_0000, child: constants.signals.SIGCHLD };

describe.each(archs)('the filter for $arch', ({ arch, at, audit, headers, read }) => {
  const filter = seccompFilter(arch);
  const answer = (number: number, first = 0): number => run(filter, { audit, number, first });

  it('refuses what is on the list', () => {
    const numbers = Object.values(refusedCalls).flatMap((one) => one[at] ?? []);
    expect(numbers.length).toBeGreaterThan(90);
    expect(numbers.filter((number) => answer(number) !== errno(EPERM))).toEqual([]);
  });

  it('lets pass what is on no list', () => {
    const listed = new Set([...Object.values(refusedCalls), clone, clone3].map((numbers) => numbers[at]));
    const others = Array.from({ length: newestCall + 1 }, (_, number) => number).filter((one) => !listed.has(one));
    expect(others).toContain(read);
    expect(others.filter((number) => answer(number) !== allow)).toEqual([]);
  });

  it('lets clone make threads, and no process and no namespace', () => {
    const number = clone[at] ?? -1;
    expect(answer(number, flags.thread)).toBe(allow);
    expect(answer(number, flags.child)).toBe(errno(EPERM));
    expect(answer(number, flags.thread + flags.newUser)).toBe(errno(EPERM));
    expect(answer(number, flags.thread + flags.newNet)).toBe(errno(EPERM));
  });

  it('knows no clone3, no x32 and nothing newer than its list', () => {
    for (const number of [clone3[at] ?? -1, newestCall + 1, 0x4000_0000 + read, 0xffff_ffff]) {
      expect(answer(number)).toBe(errno(ENOSYS));
    }
  });

  it('kills who calls in the way of another processor', () => {
    expect(run(filter, { audit: 0x4000_0003, number: read, first: 0 })).toBe(kill);
  });

  it("has the numbers of the kernel's headers", (ctx) => {
    if (!existsSync(headers)) {
      ctx.skip(`${headers} is not installed`);
      return;
    }
    const numbers = new Map(
      [...readFileSync(headers, 'utf8').matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gmu)].map(
        ([, name, number]) => [name ?? '', Number(number)] as const,
      ),
    );
    const listed: (readonly [string, CallNumbers])[] = [
      ...Object.entries(refusedCalls),
      ['clone', clone],
      ['clone3', clone3],
    ];
    // Headers of an older kernel do not have the newest ones.
    const compared = listed.filter(([name, own]) => numbers.has(name) || (own[at] ?? 0) < 440);
    expect(compared.length).toBeGreaterThan(90);
    expect(compared.map(([name, own]) => [name, own[at]])).toEqual(
      compared.map(([name]) => [name, numbers.get(name) ?? null]),
    );
  });
});

it('there is no filter for a processor whose numbers are not known', () => {
  expect(seccompFilter('riscv64')).toBeNull();
});

describe('isolation by bubblewrap', { timeout: 60_000 }, () => {
  const at = process.arch === 'x64' ? 0 : 1;
  const chosen = found.find(({ name }) => name === 'bubblewrap')?.chosen ?? null;
  const why = whyNot();
  let folder: Awaited<ReturnType<typeof temporaryFolder>> | null = null;
  let program = '';

  beforeAll(async () => {
    if (why !== null) return;
    folder = await temporaryFolder();
    program = join(folder.path, 'calls');
    const source = join(packageRoot, 'test', 'fixtures', 'sandbox', 'calls.c');
    execFileSync(compiler, ['-static', '-O1', '-o', program, source]);
  });

  afterAll(async () => {
    await folder?.[Symbol.asyncDispose]();
  });

  const calls = async (mechanism: Mechanism, wanted: readonly string[]): Promise<Map<string, number>> => {
    const limits = { memoryMiB: 256, cpuSeconds: 10, processes: 8 };
    const process = startProcess(mechanism, { command: [program, ...wanted], readable: [], limits });
    const printed = await text(process.stdout);
    const how = await process.ended;
    if (how !== 'it exited with status 0') throw new Error(how);
    return new Map(
      printed
        .trim()
        .split('\n')
        .map((line) => line.split(' '))
        .map(([call = '', problem]) => [call, Number(problem)]),
    );
  };

  it('has the kernel refuse every call on the list, new processes and new namespaces', async (ctx) => {
    if (why !== null || chosen === null) {
      ctx.skip(why ?? '');
      return;
    }
    const refused = Object.values(refusedCalls).flatMap((numbers) => numbers[at] ?? []);
    const answers = await calls(chosen.mechanism, refused.map(String));
    expect([...answers.keys()]).toEqual(refused.map(String));
    expect([...new Set(answers.values())]).toEqual([EPERM]);
    for (const bits of [flags.child, flags.newUser + flags.child]) {
      expect([...(await calls(chosen.mechanism, [`${clone[at]},${bits}`])).values()]).toEqual([EPERM]);
    }
    const unknown = [`${clone3[at]}`, `${newestCall + 1}`, ...(at === 0 ? [`${0x4000_0000 + 39}`] : [])];
    expect([...new Set((await calls(chosen.mechanism, unknown)).values())]).toEqual([ENOSYS]);
  });

  it('lets the same program make sockets, processes and semaphores without the filter', async (ctx) => {
    const ways = bubblewrap();
    const bare = 'reason' in ways ? undefined : ways.find((way) => way.filter === null && way.lacks.length > 0);
    if (why !== null || chosen === null || bare === undefined) {
      ctx.skip(why ?? 'bubblewrap is not installed');
      return;
    }
    const numberOf = (name: string): number => refusedCalls[name]?.[at] ?? -1;
    const some = [`${numberOf('socket')},1,1`, `${clone[at]},${flags.child}`, `${numberOf('semget')},0,1,0`];
    expect([...(await calls(bare, some)).values()]).toEqual([0, 0, 0]);
    expect([...(await calls(chosen.mechanism, some)).values()]).toEqual([EPERM, EPERM, EPERM]);
  });

  it('ends a program that calls in the way of i386', async (ctx) => {
    if (why !== null || chosen === null || at !== 0) {
      ctx.skip(why ?? 'only x86-64 has that way');
      return;
    }
    await expect(calls(chosen.mechanism, ['int80'])).rejects.toThrow('it was terminated by SIGSYS');
  });

  /** Why nothing can be tried here. */
  function whyNot(): string | null {
    if (chosen === null) return 'bubblewrap does not work here';
    if (chosen.mechanism.filter === null) return `no filter is in force on ${process.arch}`;
    try {
      execFileSync(compiler, ['-static', '-x', 'c', '-o', '/dev/null', '-'], { input: 'int main(void) { return 0; }' });
      return null;
    } catch {
      return 'no C compiler with a static libc; apt install gcc libc6-dev';
    }
  }
});

/** What the kernel would answer: classic BPF, as far as the filters use it. */
function run(program: Buffer | null, call: { audit: number; number: number; first: number }): number {
  if (program === null) throw new Error('there is no filter');
  let loaded = 0;
  for (let at = 0; at < program.length; at += 8) {
    const [code, jump, otherwise, value] = [
      program.readUInt16LE(at),
      program.readUInt8(at + 2),
      program.readUInt8(at + 3),
      program.readUInt32LE(at + 4),
    ];
    const holds = new Map([
      [0x15, loaded === value],
      [0x25, loaded > value],
      [0x45, (loaded & value) !== 0],
    ]).get(code);
    if (code === 0x06) return value;
    if (code === 0x20) loaded = { 0: call.number, 4: call.audit, 16: call.first }[value] ?? Number.NaN;
    else if (holds === undefined) throw new Error(`no such instruction: ${code}`);
    else at += 8 * (holds ? jump : otherwise);
  }
  throw new Error('the program has no end');
}
