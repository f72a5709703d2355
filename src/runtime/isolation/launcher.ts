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

/** Limit of the private memory of an admission process, MiB. */
export const admissionMemoryMiB = 4_096;

/** The kinds of sandbox processes. */
export type ProcessKind = 'runner' | 'admission';

/** Starts sandbox processes. The only place that decides what such a process can access. */
export interface Launcher {
  /** The isolation of its processes. */
  readonly isolation: Isolation;
  /** Starts a process. `memoryMiB` limits its private memory, by default as for its kind; V8's heap gets a quarter. */
  launch(kind: ProcessKind, memoryMiB?: number): SandboxProcess;
}

interface Kind {
  readonly program: NodeProgram;
  readonly limits: ResourceLimits;
}

const entry = (zone: string): string => join(packageRoot, 'dist', zone, 'main.js');

const kinds: Readonly<Record<ProcessKind, Kind>> = {
  // A week of CPU time: far more than the events of a busy host need, but an end to endless computations.
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
 * Selects the isolation and creates a launcher. `memoryBytes` is the largest memory limit of a plug-in. Throws
 * HookvisorError `isolation` if the host does not offer the required level.
 */
export function createLauncher(settings: SandboxSettings = anything, memoryBytes = 0): Launcher {
  const { mechanism, isolation } = chooseIsolation(settings);
  return {
    isolation,
    launch(kind, ownMiB) {
      const { program, limits } = kinds[kind];
      // Twice: the memory in use, and the one that replaces it.
      const memoryMiB = (ownMiB ?? limits.memoryMiB) + 2 * Math.ceil(memoryBytes / 1_048_576);
      const heapMiB = ownMiB === undefined ? program.heapMiB : Math.ceil(ownMiB / 4);
      const inspect = mechanism.name === 'process' && mayInspect() && process.env['HOOKVISOR_INSPECT'] === kind;
      const command = nodeCommand({ ...program, heapMiB, inspect });
      return startProcess(mechanism, { ...command, limits: { ...limits, memoryMiB } });
    },
  };
}

/** Whoever can connect to this machine's loopback address can run code in a process that is inspected: never root's. */
function mayInspect(): boolean {
  return process.getuid?.() !== 0;
}
