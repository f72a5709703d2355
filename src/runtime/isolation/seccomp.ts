import { constants } from 'node:os';
import { clone, clone3, newestCall, refusedCalls } from './seccomp-calls.js';
import type { CallNumbers, FilteredArch } from './seccomp-calls.js';

/** The descriptor from which bubblewrap reads the filter. */
export const filterDescriptor = 3;

/** AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64 of linux/audit.h. */
const auditArchs: Readonly<Record<FilteredArch, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };

/** Offsets in struct seccomp_data (linux/seccomp.h). Flags are in the first half: both architectures are little-endian. */
const offsets = { number: 0, arch: 4, firstArgument: 16 };

/** BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_K with its comparison, BPF_RET | BPF_K (linux/bpf_common.h). */
const opcodes = { load: 0x20, equal: 0x15, greater: 0x25, anyBit: 0x45, answer: 0x06 };

/** SECCOMP_RET_*: the lower half of the word contains the errno. */
const answers = {
  allow: 0x7fff_0000,
  kill: 0x8000_0000,
  refuse: 0x0005_0000 | constants.errno.EPERM,
  unknown: 0x0005_0000 | constants.errno.ENOSYS,
};

const cloneThread = 0x0001_0000;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const cloneNamespaces = 0x7e02_0000;

type Answer = keyof typeof answers;

/** One instruction. A comparison jumps to `then` if it is true; otherwise the next instruction follows. */
type Step =
  | { readonly op: 'load'; readonly value: number }
  | { readonly op: 'answer'; readonly value: Answer }
  | { readonly op: 'equal' | 'greater' | 'anyBit'; readonly value: number; readonly then: Answer | 'clone' };

/**
 * Returns the filter for an architecture as classic BPF (linux/filter.h), for `bwrap --seccomp`; null if its system
 * call numbers are unknown. Calls that no sandbox process needs, and new processes, fail with EPERM. Calls newer than
 * the list, and x32 calls, fail with ENOSYS. A process that uses another architecture's system call ABI is killed.
 */
export function seccompFilter(arch: string = process.arch): Buffer | null {
  if (arch !== 'x64' && arch !== 'arm64') return null;
  const number = ([x64, arm64]: CallNumbers): number[] => [arch === 'x64' ? x64 : arm64].filter((one) => one !== null);
  return assemble(auditArchs[arch], [
    { op: 'load', value: offsets.number },
    { op: 'greater', value: newestCall, then: 'unknown' },
    ...number(clone3).map((value) => ({ op: 'equal', value, then: 'unknown' }) as const),
    ...number(clone).map((value) => ({ op: 'equal', value, then: 'clone' }) as const),
    ...Object.values(refusedCalls)
      .flatMap(number)
      .map((value) => ({ op: 'equal', value, then: 'refuse' }) as const),
    { op: 'answer', value: 'allow' },
  ]);
}

/** Allows threads in the same namespaces, and nothing else. */
const ofClone: readonly Step[] = [
  { op: 'load', value: offsets.firstArgument },
  { op: 'anyBit', value: cloneNamespaces, then: 'refuse' },
  { op: 'anyBit', value: cloneThread, then: 'allow' },
];

const ends = ['refuse', 'allow', 'unknown'] as const satisfies readonly Answer[];

function assemble(auditArch: number, calls: readonly Step[]): Buffer {
  const steps: readonly Step[] = [...calls, ...ofClone, ...ends.map((value) => ({ op: 'answer', value }) as const)];
  const placeOf = (target: Answer | 'clone'): number =>
    target === 'clone' ? calls.length : calls.length + ofClone.length + ends.findIndex((one) => one === target);
  return Buffer.concat([
    instruction(opcodes.load, offsets.arch),
    instruction(opcodes.equal, auditArch, 1),
    instruction(opcodes.answer, answers.kill),
    ...steps.map((step, at) => {
      if (step.op === 'answer') return instruction(opcodes.answer, answers[step.value]);
      if (step.op === 'load') return instruction(opcodes.load, step.value);
      return instruction(opcodes[step.op], step.value, placeOf(step.then) - at - 1);
    }),
  ]);
}

/** Encodes struct sock_filter: u16 code, u8 jt, u8 jf, u32 k. Throws if a jump is longer than 255 instructions. */
function instruction(code: number, value: number, jump = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(jump, 2);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}
