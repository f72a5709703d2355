import { join } from 'node:path';
import type { SandboxSettings } from '../config/config.js';
import { packageRoot } from '../../shared/paths.js';
import { chooseIsolation } from './choose-isolation.js';
import type { Isolation } from './isolation.js';
import { nodeCommand } from './node-command.js';
import type { NodeProgram } from './node-command.js';
import type { ResourceLimits } from './rlimits.js';
import { startProcess } from './sandbox-process.js';
import type { SandboxProcess } from './sandbox-process.js';

/** Private memory of an admission process, MiB. */
export const admissionMemoryMiB = 4_096;

/** The two kinds of sandbox processes. */
export type ProcessKind = 'runner' | 'admission';

/** Starts the processes of a sandbox. The one place that decides what such a process can reach. */
export interface Launcher {
  /** What keeps its processes in. */
  readonly isolation: Isolation;
  /** `memoryMiB` is its private memory, of which a quarter may be V8's heap; that of its kind unless given. */
  launch(kind: ProcessKind, memoryMiB?: number): SandboxProcess;
}

interface Kind {
  readonly program: NodeProgram;
  readonly limits: ResourceLimits;
}

const entry = (zone: string): string => join(packageRoot, 'dist', zone, 'main.js');

const kinds: Readonly<Record<ProcessKind, Kind>> = {
  // A week of computing: far more than all events of a busy host, and an end to what computes for itself.
  runner: {
    program: {
      file: entry('runner'),
      heapMiB: 256,
      packages: ['zod', 'libxml2-wasm', '@extism/extism'],
    },
    limits: { memoryMiB: 3_072, cpuSeconds: 604_800, processes: 32 },
  },
  admission: {
    program: { file: entry('admission'), heapMiB: admissionMemoryMiB / 4, packages: ['zod'] },
    limits: { memoryMiB: admissionMemoryMiB, cpuSeconds: 120, processes: 32 },
  },
};

const anything: SandboxSettings = { require: 'process', isolation: 'auto' };

/**
 * Chooses how processes are kept apart; `memoryBytes` is the largest memory that a plugin may have. Throws HookvisorError
 * `isolation` when that is less than is required.
 */
export function createLauncher(settings: SandboxSettings = anything, memoryBytes = 0): Launcher {
  const { mechanism, isolation } = chooseIsolation(settings);
  return {
    isolation,
    launch(kind, ownMiB) {
      const { program, limits } = kinds[kind];
      // The memory in use, and one that is being put in its place.
      const memoryMiB = (ownMiB ?? limits.memoryMiB) + 2 * Math.ceil(memoryBytes / 1_048_576);
      const heapMiB = ownMiB === undefined ? program.heapMiB : Math.ceil(ownMiB / 4);
      const inspect = mechanism.name === 'process' && process.env['HOOKVISOR_INSPECT'] === kind;
      const command = nodeCommand({ ...program, heapMiB, inspect });
      return startProcess(mechanism, { ...command, limits: { ...limits, memoryMiB } });
    },
  };
}
